"""What a button does, and for how many seconds already, while it does it."""

from __future__ import annotations

import html
import threading
import time
from types import TracebackType
from typing import Any

PERIOD = 1.0  # seconds between two looks at the clock


class Busy:
    """While the block runs, a widget's value says what is being done and for how long; afterwards it is empty.

    widget: with a `value` of HTML.  doing: "" shows nothing, for what takes no time.
    """

    def __init__(self, widget: Any, doing: str, *, period: float = PERIOD) -> None:
        self.widget, self.doing, self.period = widget, doing, period
        self.done = threading.Event()
        self.started = 0.0
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Busy:
        self.started = time.monotonic()
        if self.doing:
            self._show()
            self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()
        if self.doing:
            self.thread.join()
            self.widget.value = ""

    def _follow(self) -> None:
        while not self.done.wait(self.period):
            self._show()

    def _show(self) -> None:
        seconds = int(time.monotonic() - self.started)
        after = f" … {seconds} s" if seconds else " …"
        self.widget.value = f"⏳ {html.escape(self.doing.rstrip('.'))}{after}"
