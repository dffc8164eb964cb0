"""A line that shows what a button is doing, and for how many seconds."""

from __future__ import annotations

import html
from types import TracebackType
from typing import Any

from kitlib.host.clock import PERIOD, Clock


class Busy:
    """While the block runs, the value of a widget shows the action and its seconds; afterwards it is empty.

    widget: with a `value` of HTML.  doing: the action; "" shows nothing, for actions that take no time.
    """

    def __init__(self, widget: Any, doing: str, *, period: float = PERIOD) -> None:
        self.widget, self.doing = widget, doing
        self.clock = Clock(self._show, period)

    def __enter__(self) -> Busy:
        if self.doing:
            self.clock.start()
            self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clock.stop()
        if self.doing:
            self.widget.value = ""

    def _show(self) -> None:
        seconds = int(self.clock.seconds)
        after = f" … {seconds} s" if seconds else " …"
        self.widget.value = f"⏳ {html.escape(self.doing.rstrip('.'))}{after}"
