"""Building in the background and measuring take turns: while something is measured, nothing is compiled.

Two files are locked.  Experiments share `measuring` while they run; the one program that builds in the background holds `building` while it
works.  An experiment takes the first and then waits for the second.  The builder looks at the first between its steps, and several
times a second while Go compiles; where an experiment holds it, the builder stops the compiler (SIGSTOP) and lets `building` go until no
experiment runs.  The operating system frees both locks when a process dies.  A step that is no compiler's, such as the build of an image in
the engine, is not cut short: an experiment waits for its end.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kitlib import paths
from kitlib.host import waiting

PERIOD = 0.25  # seconds between two looks at whether something is measured
COMPILER = "go"
NICE = "10"  # of what is compiled in the background, so that the learner's own commands go first

_builder: Builder | None = None  # of this process
_measured: list[
    tuple[int, int]
] = []  # descriptors of `measuring` and `building`, a pair for each experiment of this process


@contextmanager
def measuring() -> Iterator[None]:
    """Wait until nothing is built in the background, and keep it so while the block runs."""
    with _open("measuring") as mine, _open("building") as theirs:
        _begin(mine, theirs)
        _measured.append((mine, theirs))
        try:
            yield
        finally:
            _measured.remove((mine, theirs))


@contextmanager
def interrupted() -> Iterator[None]:
    """Let others build while the block runs: within an experiment, for the wait for something that they may be building."""
    pairs = list(_measured)
    for mine, _ in pairs:
        fcntl.flock(mine, fcntl.LOCK_UN)
    try:
        yield
    finally:
        for mine, theirs in pairs:
            _begin(mine, theirs)


def _begin(mine: int, theirs: int) -> None:
    """Hold `measuring`, and wait until the builder has let `building` go: it asks for `measuring` before it goes on."""
    fcntl.flock(mine, fcntl.LOCK_SH)
    if not _taken(theirs, fcntl.LOCK_SH):
        with waiting.line("nothing is built in the background"):
            fcntl.flock(theirs, fcntl.LOCK_SH)
    fcntl.flock(theirs, fcntl.LOCK_UN)


@contextmanager
def building() -> Iterator[Builder]:
    """Work in the background while the block runs, in turn with experiments."""
    global _builder
    with _open("measuring") as theirs, _open("building") as mine:
        _builder = Builder(theirs, mine)
        _builder.start()
        try:
            yield _builder
        finally:
            _builder.end()
            _builder = None


def polite() -> list[str | Path]:
    """What stands before a compiler's command: nothing, or in the background a lower priority."""
    return ["nice", "-n", NICE] if _builder else []


class Builder:
    """The side that gives way.  told: is called with True when it begins to wait for an experiment, and with False afterwards."""

    told: Callable[[bool], None] | None = None

    def __init__(self, theirs: int, mine: int) -> None:
        self._theirs, self._mine = theirs, mine
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin, when nothing is measured."""
        self._wait()
        self._thread.start()

    def end(self) -> None:
        """Work no more."""
        self._over.set()
        self._thread.join()

    def give_way(self) -> None:
        """Return at once when nothing is measured, else when that has ended; to be called between two steps."""
        with self._turn:
            if self._measured():
                self._wait()

    def _watch(self) -> None:
        while not self._over.wait(PERIOD):
            with self._turn:
                if self._measured() and (stopped := _suspend()):
                    try:
                        self._wait()
                    finally:
                        _resume(stopped)

    def _measured(self) -> bool:
        if not _taken(self._theirs, fcntl.LOCK_EX):
            return True
        fcntl.flock(self._theirs, fcntl.LOCK_UN)
        return False

    def _wait(self) -> None:
        """Let `building` go until nothing is measured, or this builder ends, then take it.

        An experiment that begins in between is seen at the next look.
        """
        fcntl.flock(self._mine, fcntl.LOCK_UN)
        if self.told:
            self.told(True)
        while self._measured() and not self._over.wait(PERIOD):
            pass
        fcntl.flock(self._mine, fcntl.LOCK_EX)
        if self.told:
            self.told(False)


def _suspend() -> list[int]:
    """Stop the process groups of this process's compilers; returns their leaders."""
    import psutil

    stopped = []
    for child in psutil.Process().children():
        with suppress(psutil.Error, ProcessLookupError):
            if child.name() == COMPILER and os.getpgid(child.pid) == child.pid:
                os.killpg(child.pid, signal.SIGSTOP)
                stopped.append(child.pid)
    return stopped


def _resume(leaders: list[int]) -> None:
    for leader in leaders:
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGCONT)


def _taken(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _open(name: str) -> Iterator[int]:
    file: Path = paths.state() / f"{name}.lock"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
