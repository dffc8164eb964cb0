"""A log explorer in the notebook: words, filters, a span of time, a histogram, a live tail.  Headless: drawn once, as figure and table."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets
import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from kitlib.errors import KitError
from kitlib.host.frontend import headless
from kitlib.telemetry.logs import Logs, Query, matching
from kitlib.views import widgets
from kitlib.views.plots.base import PALETTE, STYLE, WIDTH, svg

SPANS = {"5 minutes": 5, "15 minutes": 15, "1 hour": 60, "1 day": 1440}
TAIL_SECONDS = 1.0  # between two looks of the live tail
ROWS = 20
BARS = 60  # of the histogram, at most
COLOURS = {
    "ERROR": PALETTE[1],
    "WARN": PALETTE[4],
    "INFO": PALETTE[0],
    "DEBUG": PALETTE[5],
}  # of levels; others are grey
CELL = "text-align:left;vertical-align:top;padding:0 10px 0 0;font-family:monospace;line-height:1.3;white-space:pre"
WRAPPED = f"{CELL}-wrap"


def explorer(logs: Logs, *, text: str = "", namespace: str = "", level: str = "", span: str = "15 minutes") -> Any:
    """Search the logs.  text: words in the line; span: one of SPANS.  Headless, the page of the lines that match."""
    wanted = {"text": text, "namespace": namespace, "level": level, "span": span}
    return Page(logs, wanted) if headless() else _Live(logs, wanted).box


class Page:
    """The result of a search: the number of lines, their histogram, and the newest of them."""

    def __init__(self, logs: Logs, wanted: dict[str, str]) -> None:
        self.query = query(wanted)
        self.lines = logs.search(self.query, size=ROWS)
        self.seconds = SPANS[wanted["span"]] * 60 // BARS
        self.histogram = logs.histogram(self.query, seconds=self.seconds)
        self.words = ", ".join(f"{key} {value!r}" for key, value in wanted.items() if value)

    @property
    def total(self) -> int:
        """Lines that match."""
        return int(self.histogram["lines"].sum())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        table = self.lines[["time", "pod", "level", "message"]].to_string(index=False, max_colwidth=80)
        return {"text/html": self.html(), "text/plain": f"{self._caption()}\n{table}"}

    def html(self) -> str:
        """The page as an HTML figure: caption, bars and the table of lines."""
        caption = f"<figcaption><strong>{escape(self._caption())}</strong></figcaption>"
        return f"<figure style='margin:0;max-width:60em'>{caption}{self._bars()}{table(self.lines)}</figure>"

    def _caption(self) -> str:
        return f"{self.total} lines: {self.words}; the newest {len(self.lines)}"

    def _bars(self) -> str:
        return bars(self.histogram, self.seconds, self._caption()) if self.total else ""


class _Live:
    """Widgets that search again whenever one of them changes."""

    def __init__(self, logs: Logs, wanted: dict[str, str]) -> None:
        self._logs = logs
        self._found = ipywidgets.HTML()
        namespaces = ["", *logs.terms("kubernetes.namespace")]
        self._inputs = {
            "text": ipywidgets.Text(wanted["text"], placeholder="words", continuous_update=False),
            "namespace": _choice(namespaces, wanted["namespace"], "any namespace"),
            "level": _choice(["", *logs.terms("app.level")], wanted["level"], "any level"),
            "span": _choice(list(SPANS), wanted["span"], ""),
        }
        for widget in self._inputs.values():
            widget.observe(lambda _: self.refresh(), "value")
        tail = widgets.repeating("Live tail", self.refresh, TAIL_SECONDS)  # Elasticsearch sends no event for new lines
        self.box = ipywidgets.VBox([ipywidgets.HBox([*self._inputs.values(), tail]), self._found])
        self.refresh()

    def refresh(self) -> None:
        """Search and show; an error is shown in place of the lines."""
        try:
            self._found.value = Page(self._logs, {key: widget.value for key, widget in self._inputs.items()}).html()
        except KitError as e:
            self._found.value = f"<pre>{escape(str(e))}</pre>"


def query(wanted: dict[str, str]) -> Query:
    """The query of the inputs.  Raises KeyError for a span that is not in SPANS."""
    since = pd.Timestamp.now("UTC") - pd.Timedelta(minutes=SPANS[wanted["span"]])
    return matching(wanted["text"], namespace=wanted["namespace"], level=wanted["level"], since=since)


def bars(histogram: pd.DataFrame, seconds: int, alt: str) -> str:
    """Lines over time as SVG, one colour per level; columns as `Logs.histogram` has them; seconds: a bar's."""
    wide = histogram.pivot_table(index="time", columns="level", values="lines", aggfunc="sum", fill_value=0)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH * 1.4, 1.3), layout="constrained")
        axes = figure.subplots()
        base = 0 * wide.sum(axis=1)
        for level in wide:
            look: dict[str, Any] = {"color": COLOURS.get(str(level), PALETTE[6]), "label": str(level), "align": "edge"}
            axes.bar(wide.index, wide[level], width=pd.Timedelta(seconds=0.9 * seconds), bottom=base, **look)
            base = base + wide[level]
        axes.set_ylabel("lines")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=8, ncols=len(wide.columns))
        return svg(figure, alt)


def table(lines: pd.DataFrame) -> str:
    """The lines as an HTML table, times of the day in UTC."""
    rows = "".join(
        f"<tr><td style='{CELL}'>{line['time']:%H:%M:%S.%f}</td><td style='{CELL}'>{escape(str(line['pod']))}</td>"
        f"<td style='{CELL};color:{COLOURS.get(line['level'], PALETTE[6])}'>{escape(line['level'])}</td>"
        f"<td style='{WRAPPED}'>{escape(str(line['message']))}</td></tr>"
        for line in lines.fillna({"level": ""}).to_dict("records")
    )
    head = "".join(f"<th style='{CELL}'>{name}</th>" for name in ("time (UTC)", "pod", "level", "line"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _choice(values: list[str], chosen: str, empty: str) -> Any:
    options = [(value or empty, value) for value in dict.fromkeys([*values, chosen]) if value or empty]
    return ipywidgets.Dropdown(options=options, value=chosen, layout={"width": "12em"})
