"""What an experiment is doing: one line of the notebook that is rewritten, with how many of how many, and seconds.

A measurement of all trials at once (`batch=True`) says how far it is, from any of its threads:

    progress.stage("starting the pods")             # what happens now
    progress.stage("waiting for it", seconds=120)   # and how long that takes at most
    with progress.trial("drain, one more"):         # a trial from its begin to its end
        ...
    progress.done(2)                                # two trials have ended

Outside of an experiment, and outside of a kernel, these do nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kitlib.host.clock import PERIOD, Clock, display_handle

NAMED = 3  # trials that are named while they run; the others are counted

# the experiment of this kernel, if one runs: threads of a measurement share no other context
_running: list[ProgressLine] = []


def stage(doing: str, *, seconds: float | None = None) -> None:
    """Say what happens now.  seconds: how long it takes at most, where that is known."""
    for line in _running[-1:]:
        line.stage(doing, seconds)


def done(trials: int = 1) -> None:
    """Count trials that have ended."""
    for line in _running[-1:]:
        line.ended(trials)


@contextmanager
def trial(name: str) -> Iterator[None]:
    """Say that this trial runs while the block does, and count it afterwards; one that fails is not counted."""
    line = _running[-1] if _running else None
    if line:
        line.begin(name)
    try:
        yield
        done()
    finally:
        if line:
            line.leave(name)


class ProgressLine:
    """The line of one experiment.  total: of its trials; rounds: of its repeats.  handle: None outside of a kernel."""

    def __init__(self, total: int, rounds: int, handle: Any) -> None:
        self.total, self.rounds, self.handle = total, rounds, handle
        self.started = self.since = time.monotonic()
        self.count, self.doing = 0, ""
        self.most: float | None = None
        self.now: list[str] = []
        self.lock = threading.RLock()
        self.clock = Clock(self._tick, PERIOD)

    @classmethod
    def show(cls, total: int, rounds: int) -> ProgressLine:
        """Show the line, and keep its seconds going until `close`."""
        line = cls(total, rounds, display_handle("measuring ..."))
        _running.append(line)
        if line.handle is not None:
            line.clock.start()
        return line

    def update(self, repeat: int, treatment: dict[str, Any], trials: int) -> None:
        """Say which trial begins, or that all of them begin together."""
        what = " ".join(f"{k}={v}" for k, v in treatment.items())
        one = f"round {repeat} of {self.rounds}: {what}" if what else f"round {repeat} of {self.rounds}"
        self.stage(one if trials == 1 else f"{trials} trials together")

    def stage(self, doing: str, seconds: float | None = None) -> None:
        """What happens now; seconds: at most."""
        with self.lock:
            self.doing, self.most, self.since = doing, seconds, time.monotonic()
            self._write(self.text())

    def begin(self, name: str) -> None:
        """A trial of this name runs."""
        with self.lock:
            self.now.append(name)
            self._write(self.text())

    def leave(self, name: str) -> None:
        """It does not run any more."""
        with self.lock:
            self.now.remove(name)
            self._write(self.text())

    def ended(self, trials: int) -> None:
        """So many more trials have ended; never more than there are."""
        with self.lock:
            self.count = min(self.count + trials, self.total)
            self._write(self.text())

    def close(self, rows: int, trials: int) -> None:
        """The end: how many trials were measured, how many values they gave, and how long it took."""
        self.clock.stop()
        _running.remove(self)
        with self.lock:
            took = time.monotonic() - self.started
            self._write(f"{trials} of {self.total} measurements, {rows} values, in {took:.1f} s")

    def text(self) -> str:
        """Like "3 of 7 done · now: drain, one more · 24 s of about 56 s"."""
        return " · ".join(filter(None, [f"{self.count} of {self.total} done", self._now(), self._seconds()]))

    def _now(self) -> str:
        named = _named(self.now)
        return f"now: {named}" if named else self.doing

    def _seconds(self) -> str:
        """Of the stage, where its end is known; else of all, with what all trials take at the rate so far."""
        clock = time.monotonic()
        if self.most is not None and not self.now:
            return f"{clock - self.since:.0f} s of at most {self.most:.0f} s"
        took = clock - self.started
        expected = f" of about {took / self.count * self.total:.0f} s" if 0 < self.count < self.total else ""
        return f"{took:.0f} s{expected}"

    def _tick(self) -> None:
        with self.lock:
            self._write(self.text())

    def _write(self, text: str) -> None:
        if self.handle is not None:
            self.handle.update({"text/plain": text}, raw=True)


def _named(names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return "; ".join(names[:NAMED]) + rest
