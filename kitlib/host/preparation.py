"""What `./kit prepare` has made of what the chapters need, and what it is making: told by it, and read by kernels and `./kit status`.

Each cluster of a checkout (KIT_CLUSTER) has a record of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field

from kitlib.errors import KitError, SetupError
from kitlib.host import frontend, identity, textfile, turns, waiting
from kitlib.host.console import step

FILE = "preparing.json"
LOCK = "preparing.lock"
PERIOD = 0.5  # seconds between two looks
NAMED = {"engine": "the container engine", "cluster": "the cluster"}


@dataclass
class Preparation:
    """ready: needs that are there, as chapters.yaml has them.  chapters: how many of those to prepare are ready, and how many there are.

    now: the step, and the last line that it printed.  since: when the step began, in seconds since the epoch.  failed: why it ended early.
    paused: an experiment runs, and it waits.
    """

    ready: list[str] = field(default_factory=list)
    chapters: tuple[int, int] = (0, 0)
    now: str = ""
    since: float = 0.0
    failed: str = ""
    paused: bool = False
    running: bool = False

    def told(self) -> str:
        """One line for a person."""
        ready, of = self.chapters
        done = f"{ready} of {of} chapters are ready"
        if self.failed:
            return f"{done}; stopped: {self.failed}"
        if self.paused and self.running:
            return f"{done}; waiting until an experiment has ended"
        return f"{done}; {self.now or 'looking'} ({max(time.time() - self.since, 0):.0f} s)" if self.running else done

    def save(self) -> None:
        """Write it for others to read; one that cannot be written is not worth stopping for."""
        with suppress(OSError):
            textfile.put(identity.home() / FILE, json.dumps(asdict(self)))


def look() -> Preparation | None:
    """The state of what prepares now, or of what did last; None where nothing ever did, or it cannot be read."""
    try:
        found = json.loads((identity.home() / FILE).read_text(encoding="utf-8"))
        found["chapters"] = tuple(found["chapters"])
        return Preparation(**{**found, "running": _running()})
    except (OSError, ValueError, TypeError, LookupError, KitError):
        return None


def forget() -> None:
    """Nothing of it is there any more."""
    with suppress(OSError):
        (identity.home() / FILE).unlink()


@contextmanager
def alone() -> Iterator[None]:
    """Be the one that prepares while the block runs; while another does, wait."""
    descriptor = os.open(identity.home() / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another ./kit prepare to end"):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def awaited(need: str) -> bool:
    """In a kernel, wait while `need` is being prepared, with a line that says what for; returns whether it was made meanwhile.

    need: as chapters.yaml has it.  Raises SetupError when the preparation ends without it.
    """
    found = look() if frontend.in_kernel() else None
    if found is None or not found.running or need in found.ready:
        return False
    with turns.interrupted(), waiting.line(f"{NAMED.get(need, need)} is ready") as line:
        while found and found.running and need not in found.ready:
            line.now = found.told()
            time.sleep(PERIOD)
            found = look()
    if found and need not in found.ready and found.failed:
        raise SetupError(f"{NAMED.get(need, need)} could not be prepared: {found.failed}", hint="./kit prepare")
    return bool(found)


def missing(needs: Iterable[str]) -> str:
    """What of these is still being prepared, as a sentence for the reader of a chapter; empty when nothing is."""
    found = look()
    if found is None or not found.running or not (left := [need for need in needs if need not in found.ready]):
        return ""
    return f"Still being prepared: {', '.join(NAMED.get(need, need) for need in left)}. A cell that needs one of them waits for it."


def _running() -> bool:
    try:
        descriptor = os.open(identity.home() / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
