"""The clock of everything that says for how long it has been at it: a line of a notebook, a button of an exercise."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

from kitlib.host import frontend

PERIOD = 1.0  # seconds between two looks at the clock

# the clocks that run in this process, so that a wait inside of something that has one does not show a second
_running: list[Clock] = []


class Clock:
    """Call `tick` every `period` seconds, from `start` to `stop`, in a thread of its own; when `stop` returns, the last call has ended.

    What `tick` displays belongs to the cell that called `start`.
    """

    def __init__(self, tick: Callable[[], None], period: float = PERIOD) -> None:
        self._tick, self._period = tick, period
        self._over, self._lock = threading.Event(), threading.RLock()
        self._context = contextvars.copy_context()
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since `start`, or since the clock was made."""
        return time.monotonic() - self._started

    def start(self) -> None:
        """Begin to count, and to call `tick`."""
        self._started = time.monotonic()
        _running.append(self)
        threading.Thread(target=self._context.run, args=(self._follow,), daemon=True).start()

    def stop(self) -> None:
        """End it; one that does not run stays as it is."""
        self._over.set()
        with self._lock:
            if self in _running:
                _running.remove(self)

    def _follow(self) -> None:
        while not self._over.wait(self._period):
            with self._lock:
                if not self._over.is_set():
                    self._tick()


def running() -> bool:
    """Whether something shows its seconds already."""
    return bool(_running)


def display_handle(text: str) -> Any:
    """A display handle, or None outside a kernel."""
    if not frontend.in_kernel():
        return None
    from IPython.display import display

    return display({"text/plain": text}, raw=True, display_id=True)
