"""Dashboards in the notebook, drawn from the definitions that Grafana's JSON is made of.  Headless: drawn once, as figures and a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import ipywidgets
import matplotlib as mpl
import matplotlib.dates as dates
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kitlib.dashboards import ALL, Dashboard, Panel
from kitlib.dashboards.definitions import EVERYTHING, UNITS
from kitlib.errors import KitError
from kitlib.host.frontend import headless
from kitlib.host.stats import quantity
from kitlib.telemetry.metrics import Metrics
from kitlib.views import widgets
from kitlib.views.plots.base import PALETTE, STYLE, WIDTH, svg

SPANS = {"1 minute": 1, "5 minutes": 5, "15 minutes": 15, "1 hour": 60}
POINTS = 60  # of a line
LINES = 6  # of a panel; those with the largest last values
COLUMNS = 2
LEGEND = 22  # characters
REFRESH = 5.0  # seconds between two looks while it is live


def view(metrics: Metrics, dashboard: Dashboard, *, namespace: str = "", span: str = "5 minutes") -> Any:
    """A dashboard's panels.  namespace: by default all that the kit made; span: one of SPANS.  Headless, the panels are drawn once."""
    if headless():
        return Page(metrics, dashboard, namespace=namespace, span=span)
    return _Live(metrics, dashboard, namespace, span).box


@dataclass(frozen=True)
class Drawn:
    """A panel, and Prometheus' answer.  lines: legend → values over time, as `unit` writes them."""

    panel: Panel
    lines: dict[str, pd.Series]

    @property
    def unit(self) -> str:
        """The unit as the kit writes it."""
        return UNITS[self.panel.unit][1]

    @property
    def shown(self) -> dict[str, pd.Series]:
        """The LINES largest."""
        return dict(sorted(self.lines.items(), key=lambda item: -float(item[1].iloc[-1]))[:LINES])


def ask(metrics: Metrics, panel: Panel, start: pd.Timestamp, end: pd.Timestamp, *, namespace: str = "") -> Drawn:
    """The lines of a panel from start to end; a query without an answer has no line."""
    step = max(1.0, (end - start).total_seconds() / POINTS)
    factor = UNITS[panel.unit][0]
    lines: dict[str, pd.Series] = {}
    for query in panel.queries:
        expression = query.filled(namespace=namespace or EVERYTHING, step=step)
        found = metrics.history(expression, start, end, step=step).dropna(
            subset=["value"]
        )  # a percentile of nothing is NaN
        labels = [name for name in found.columns if name not in ("time", "value")]
        for key, rows in found.groupby(labels, dropna=False) if labels else [((), found)] if len(found) else []:
            name = query.named({k: str(v) for k, v in zip(labels, key, strict=True)})
            lines[name] = factor * rows.set_index("time")["value"].astype(float)
    return Drawn(panel, lines)


class Page:
    """A dashboard now: its panels drawn, and the last value of each line."""

    def __init__(self, metrics: Metrics, dashboard: Dashboard, *, namespace: str = "", span: str = "5 minutes") -> None:
        self.end = pd.Timestamp.now("UTC")
        self.start = self.end - pd.Timedelta(minutes=SPANS[span])
        self.dashboard = dashboard
        self.drawn = [ask(metrics, panel, self.start, self.end, namespace=namespace) for panel in dashboard.panels]

    @property
    def table(self) -> pd.DataFrame:
        """panel, line, last value; one row per line that is drawn, and one for a panel without any."""
        return pd.DataFrame([row for drawn in self.drawn for row in _rows(drawn)], columns=["panel", "line", "last"])

    @property
    def empty(self) -> list[str]:
        """Titles of panels that show nothing."""
        return [drawn.panel.title for drawn in self.drawn if not drawn.lines]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {
            "text/html": self.html(),
            "text/plain": f"{self.dashboard.title}\n\n{self.table.to_string(index=False)}",
        }

    def html(self) -> str:
        """The page as an HTML figure: title, panels and a table of the last values."""
        return (
            f'<figure style="margin:0;max-width:72em"><figcaption><strong>{escape(self.dashboard.title)}</strong></figcaption>'
            f"{self._figure()}<details><summary>Last values</summary>{self.table.to_html(index=False, border=0)}</details></figure>"
        )

    def _figure(self) -> str:
        rows = -(-len(self.drawn) // COLUMNS)
        alt = f"{self.dashboard.title}: {len(self.drawn)} panels; their last values are in the table."
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(1.7 * WIDTH, 2.1 * rows), layout="constrained")
            panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
            for axes, drawn in zip(panels, self.drawn, strict=False):
                draw(axes, drawn, self.start, self.end)
            for spare in panels[len(self.drawn) :]:
                spare.set_axis_off()
            return svg(figure, alt)


def draw(axes: Axes, drawn: Drawn, start: pd.Timestamp, end: pd.Timestamp) -> None:
    """One panel: one line per series, times of the day in UTC."""
    for i, (name, values) in enumerate(drawn.shown.items()):
        axes.plot(values.index, values, color=PALETTE[i % len(PALETTE)], linewidth=1.3, label=shorten(name))
    more = len(drawn.lines) - len(drawn.shown)
    title = f"{drawn.panel.title} ({drawn.unit})" if drawn.unit else drawn.panel.title
    axes.set_title(title + (f", {more} more" if more else ""), fontsize=10, loc="left")
    axes.set(xlim=(start, end), ylim=(0, None))
    axes.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=4))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))  # type: ignore[no-untyped-call]
    axes.tick_params(labelsize=8)
    if drawn.lines:
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0)
    else:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center")


def shorten(name: str) -> str:
    """A legend's text, so that it leaves room for the figure: the end of a pod's name is what tells it apart."""
    return name if len(name) <= LEGEND else f"…{name[1 - LEGEND :]}"


class _Live:
    """Widgets that ask again whenever one of them changes, or every few seconds while that is wanted."""

    def __init__(self, metrics: Metrics, dashboard: Dashboard, namespace: str, span: str) -> None:
        self._metrics = metrics
        self._found = ipywidgets.HTML()
        namespaces = dict.fromkeys(["", *_namespaces(metrics), namespace])
        self._inputs = {
            "dashboard": _choice({it.title: it for it in ALL.values()}, dashboard, "24em"),
            "namespace": _choice({name or "all of the kit's": name for name in namespaces}, namespace, "14em"),
            "span": _choice({name: name for name in SPANS}, span, "9em"),
        }
        for widget in self._inputs.values():
            widget.observe(lambda _: self.refresh(), "value")
        repeat = widgets.repeating("Refresh", self.refresh, REFRESH)
        self.box = ipywidgets.VBox([ipywidgets.HBox([*self._inputs.values(), repeat]), self._found])
        self.refresh()

    def refresh(self) -> None:
        """Query and show; an error is shown in place of the panels."""
        try:
            self._found.value = Page(self._metrics, **{key: it.value for key, it in self._inputs.items()}).html()
        except KitError as e:
            self._found.value = f"<pre>{escape(str(e))}</pre>"


def _rows(drawn: Drawn) -> Iterator[tuple[str, str, str]]:
    if not drawn.lines:
        yield drawn.panel.title, "no data", ""
    for name, values in drawn.shown.items():
        yield drawn.panel.title, name, quantity(float(values.iloc[-1]), drawn.unit)


def _namespaces(metrics: Metrics) -> list[str]:
    return [name for name in metrics.ask("label/namespace/values") if name.startswith("kit-")]


def _choice(options: dict[str, Any], chosen: Any, width: str) -> Any:
    return ipywidgets.Dropdown(options=list(options.items()), value=chosen, layout={"width": width})
