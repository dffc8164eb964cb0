"""What a cell waits for, for how long already, and for how long at most: one line of the notebook, which is rewritten.

    with waiting.line("the stack logs is ready"):
        with waiting.line("StatefulSet/elasticsearch is ready", 180):  # is shown in the same line
            ...

A wait that ends within a second shows nothing; nor does one inside of an experiment or of a button, which have seconds of their own,
one in another thread, or one outside of a kernel.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kitlib.host import clock
from kitlib.host.clock import Clock

LONG = 10.0  # seconds; a wait that takes no more at most needs no line

_open: list[Line] = []  # the line of this kernel's cell, if it waits


class Line:
    """The line of one wait.  now: what happens meanwhile, if that is known."""

    def __init__(self, what: str, most: float | None) -> None:
        self.what, self.most = what, most
        self.clock = Clock(self._show, clock.PERIOD)
        self.inner: Line | None = None
        self.now = ""
        self._handle: Any = None

    @property
    def shown(self) -> bool:
        """Whether the wait was long enough to be shown, in a place that shows it."""
        return self._handle is not None

    def text(self) -> str:
        """Like "waiting until Deployment/catalog is rolled out: 3 s of at most 120 s"."""
        now = f", now until {self.inner.what}" if self.inner else f" (now: {self.now})" if self.now else ""
        return f"waiting until {self.what}{now}: {(self.inner or self)._seconds()}"

    def end(self) -> None:
        """Say how long it took."""
        if self.shown:
            self._write(f"{self.what} after {self.clock.seconds:.0f} s")

    def _seconds(self) -> str:
        most = "" if self.most is None else f" of at most {self.most:.0f} s"
        return f"{self.clock.seconds:.0f} s{most}"

    def _show(self) -> None:
        if self.shown:
            self._write(self.text())
        else:
            self._handle = clock.display_handle(self.text())

    def _write(self, text: str) -> None:
        self._handle.update({"text/plain": text}, raw=True)


@contextmanager
def line(what: str, seconds: float | None = None) -> Iterator[Line]:
    """Show a line while the block waits.  what: a sentence that is true at its end.

    seconds: how long it waits at most; None: the waits inside say it.
    """
    made = Line(what, seconds)
    if threading.current_thread() is not threading.main_thread():
        yield made
    elif _open:
        yield from _inside(_open[-1], made)
    elif clock.running() or (seconds is not None and seconds <= LONG):
        yield made
    else:
        yield from _alone(made)


def _alone(made: Line) -> Iterator[Line]:
    _open.append(made)
    made.clock.start()
    try:
        yield made
    finally:
        _open.remove(made)
        made.clock.stop()
    made.end()


def _inside(outer: Line, made: Line) -> Iterator[Line]:
    before, outer.inner = outer.inner, made
    try:
        yield made
    finally:
        outer.inner = before
