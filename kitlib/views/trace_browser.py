"""Traces in the notebook: those of a service as a list, one of them as a waterfall.  Headless: the same, for the newest that fit."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets
import pandas as pd

from kitlib.errors import KitError
from kitlib.host.frontend import headless
from kitlib.host.stats import quantity
from kitlib.telemetry.traces import Traces
from kitlib.views.waterfall import graph, waterfall

ROWS = 10


def browse(traces: Traces, service: str = "", *, least: float = 0.0, errors: bool = False) -> Any:
    """Browse traces.  service: by default the first; least: seconds that a span of it took; errors: failed ones only."""
    chosen = service or next(iter(traces.services()), "")
    if headless():
        return Page(traces, chosen, least, errors)
    return _Live(traces, chosen, least, errors).box


class Page:
    """The result of a search: the newest traces, the calls between services in them, and the slowest of them as a waterfall."""

    def __init__(self, traces: Traces, service: str, least: float, errors: bool) -> None:
        self.service = service
        self.spans = pd.DataFrame()
        attributes = {"error": True} if errors else {}
        self.list = traces.search(service, least=least, attributes=attributes, limit=ROWS)
        self.choose(traces, self.list.sort_values("seconds")["trace_id"].iloc[-1] if len(self.list) else "")

    def choose(self, traces: Traces, trace_id: str) -> None:
        """Show this trace in full."""
        self.spans = traces.spans(trace_id) if trace_id else pd.DataFrame()
        self.links = traces.links(self.spans) if trace_id else None

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        table = self.list.to_string(index=False) if len(self.list) else ""
        parts = [self._caption(), table, *(str(picture) for picture in self._pictures())]
        return {"text/html": self.html(), "text/plain": "\n\n".join(filter(None, parts))}

    def html(self) -> str:
        """The page as an HTML figure: caption, pictures and the table of spans."""
        caption = f"<figcaption><strong>{escape(self._caption())}</strong></figcaption>"
        pictures = "".join(picture.svg() for picture in self._pictures())
        return f"<figure style='margin:0;max-width:60em'>{caption}{pictures}{self._table()}</figure>"

    def labels(self) -> list[tuple[str, str]]:
        """One line per trace to choose from, with its id."""
        return [
            (f"{t.start:%H:%M:%S} {quantity(1000 * t.seconds, 'ms')}, {t.spans} spans, {t.errors} failed", t.trace_id)
            for t in self.list.itertuples()
        ]

    def _caption(self) -> str:
        return f"the newest {len(self.list)} traces of {self.service}"

    def _pictures(self) -> list[Any]:
        return [] if self.spans.empty else [waterfall(self.spans), graph(self.links)]

    def _table(self) -> str:
        if self.list.empty:
            return ""
        start, took = self.list["start"].dt.strftime("%H:%M:%S.%f"), (1000 * self.list["seconds"]).round(1)
        shown = self.list.assign(start=start, seconds=took)
        return str(shown.rename(columns={"start": "start (UTC)", "seconds": "ms"}).to_html(index=False, border=0))


class _Live:
    """Widgets that search again whenever one of them changes."""

    def __init__(self, traces: Traces, service: str, least: float, errors: bool) -> None:
        self._traces = traces
        self._shown = ipywidgets.HTML()
        names = list(dict.fromkeys([*traces.services(), *filter(None, [service])]))
        self._service = ipywidgets.Dropdown(options=names, value=service or None)
        self._least = ipywidgets.FloatText(least, step=0.1, description="at least (s)", continuous_update=False)
        self._errors = ipywidgets.Checkbox(errors, description="failed only", indent=False)
        self._pick = ipywidgets.Dropdown(layout={"width": "26em"})
        again = ipywidgets.Button(description="Again", icon="refresh")
        for widget in (self._service, self._least, self._errors):
            widget.observe(lambda _: self.refresh(), "value")
        again.on_click(lambda _: self.refresh())
        self._pick.observe(self._picked, "value")
        head = ipywidgets.HBox([self._service, self._least, self._errors, self._pick, again])
        self.box = ipywidgets.VBox([head, self._shown])
        self.refresh()

    def refresh(self) -> None:
        """Search and show; an error is shown in place of the traces."""
        try:
            page = Page(self._traces, self._service.value or "", self._least.value, self._errors.value)
            self._page = page
            self._pick.options = page.labels()
            self._pick.value = page.spans["trace_id"].iloc[0] if len(page.spans) else None
            self._shown.value = page.html()
        except KitError as e:
            self._shown.value = f"<pre>{escape(str(e))}</pre>"

    def _picked(self, change: Any) -> None:
        if change["new"]:
            self._page.choose(self._traces, change["new"])
            self._shown.value = self._page.html()
