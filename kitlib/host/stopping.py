"""How a signal, or the bound of a run, ends this process: by an exception, once every step that must not be cut short is done.

Loaded before anything else, so that a signal in the first second ends in one line too.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BOUND = signal.SIGALRM  # the timer of a run's bound


class Stopped(KeyboardInterrupt):
    """A signal asked for the end.  An interrupt to all that tidies up after one.  told: the line that says what is left."""

    def __init__(self, number: int, told: str = "") -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number
        self.told = told


class Watch:
    """Takes the signals.  While one is held it is noted, and `wake` is called; otherwise Stopped is raised.

    asked: the first signal there was.  once: later ones change nothing, as the end is on its way.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.once = False
        self.wake: Callable[[], None] | None = None
        self._noted = False
        self._holds = 0

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Handle signal `number`: raise Stopped, or only note the signal while a block is held."""
        if self.asked is not None and (self.once or self._holds):
            return
        self.asked = number
        if not self._holds:
            raise Stopped(number)
        self._noted = True
        if self.wake:
            self.wake()

    @property
    def noted(self) -> bool:
        """Whether a signal was held back and is not raised yet."""
        return self._noted

    def check(self) -> None:
        """Raise what was noted."""
        if self._noted and self.asked is not None:
            self._noted = False
            raise Stopped(self.asked)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The block is not cut short; what was noted is raised after the outermost one, unless the block failed by itself."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
        if not self._holds:
            self.check()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """A part of a held block that may be cut short."""
        holds, self._holds = self._holds, 0
        try:
            self.check()
            yield
        finally:
            self._holds = holds


_current: Watch | None = None


@contextmanager
def watched(*, once: bool = False) -> Iterator[Watch]:
    """Take the signals that nothing else takes; inside another `watched`, its watch.  Outside the main thread no signal comes."""
    global _current
    if threading.current_thread() is not threading.main_thread():
        yield Watch()
        return
    if _current is not None:
        before, _current.once = _current.once, _current.once or once
        try:
            yield _current
        finally:
            _current.once = before
        return
    _current = watch = Watch()
    watch.once = once
    old = {number: signal.getsignal(number) for number in SIGNALS}
    free = [number for number, handler in old.items() if handler in _FREE]
    for number in free:
        signal.signal(number, watch)
    try:
        yield watch
    finally:
        for number in free:
            signal.signal(number, old[number])
        _current = None


@contextmanager
def bounded(seconds: float | None) -> Iterator[None]:
    """Ask for the end, as a signal does, after `seconds` (None: never).  In a `watched` block of the main thread."""
    if seconds is None or _current is None:
        yield
        return
    old = signal.signal(BOUND, _current)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(BOUND, old)


def from_the_start() -> None:
    """Until `watched` takes over, a signal ends the process in one line.  What is ignored (nohup) stays so."""
    for number in SIGNALS:
        if signal.getsignal(number) in _FREE:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    os.write(2, f"kit: stopped by {signal.Signals(number).name}\n".encode())
    os._exit(128 + number)


_FREE = (signal.SIG_DFL, signal.default_int_handler, _end)
