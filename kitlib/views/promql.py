"""PromQL in a cell: `%load_ext kitlib.views.promql`, then `%%promql` cells.

    %%promql
    sum by (code) (rate(http_request_duration_seconds_count[1m]))

The values of now are a table; with `--last 5m`, those of the last five minutes are a figure.  Errors point into the cell.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import matplotlib as mpl
import pandas as pd
from IPython.core.magic import Magics, cell_magic, magics_class
from matplotlib.figure import Figure

from kitlib.dashboards.definitions import Panel
from kitlib.errors import ClusterError, UsageError, meant
from kitlib.host.stats import quantity
from kitlib.telemetry.metrics import Metrics
from kitlib.views import panels
from kitlib.views.plots.base import STYLE, WIDTH, Plot, svg

CLIENT = "metrics"  # the variable that is looked at when the cell names none
UNITS = {"s": 1, "m": 60, "h": 3600}
SPAN = re.compile(r"([1-9]\d*)([smh])")
MISTAKE = re.compile(r"(\d+):(\d+): parse error: (.+)")  # as Prometheus writes it: line, column
NO_MOMENT = re.compile(r'invalid expression type "(.+?)" for range query')
TICKS = 4
SELECTORS = ("vectorSelector", "matrixSelector")
DOCUMENTED = "https://prometheus.io/docs/prometheus/latest/querying/basics/ explains the language"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%promql: {message}", hint=" ".join(self.format_usage().split()))


def _options() -> _Parser:
    """The words behind %%promql."""
    parser = _Parser(prog="%%promql", add_help=False)
    parser.add_argument("client", nargs="?", default=CLIENT, help="the variable with the client of a Prometheus")
    parser.add_argument("--last", default="", metavar="SPAN", help="draw the values of this span: 90s, 5m, 1h")
    return parser


@magics_class
class PromqlMagics(Magics):
    """The magic, and the variables of the notebook, one of which has the client."""

    @cell_magic
    def promql(self, line: str, body: str) -> pd.DataFrame | Plot | None:
        """%%promql [CLIENT] [--last SPAN]: the values of the cell's expression, by the Prometheus that a variable leads to."""
        return run_cell(self.shell.user_ns if self.shell else {}, line, body)


def load_ipython_extension(shell: Any) -> None:
    """Register the magic; `%load_ext` calls this."""
    shell.register_magics(PromqlMagics)


def run_cell(names: Mapping[str, Any], line: str, body: str) -> pd.DataFrame | Plot | None:
    """Do what a %%promql cell does; returns what it shows, None when it has printed why there is no series.

    names: the variables of the notebook.  Raises UsageError for an expression that Prometheus does not understand.
    """
    options = _options().parse_args(shlex.split(line))
    metrics, seconds, expression = _client(names, options.client), _seconds(options.last), body.rstrip()
    if not expression:
        raise UsageError("the cell has no expression", hint="write one below %%promql, such as: up")
    with _explained(expression):
        shown = history(metrics, expression, seconds) if seconds else now(metrics, expression)
        if shown is None:
            print("\n".join(_nothing(metrics, expression, options.client)))
    return shown


def now(metrics: Metrics, expression: str) -> pd.DataFrame | None:
    """The present values: labels and value, one row per series.  A range has a row per sample, and its time (UTC)."""
    found = metrics.query(expression)
    if found.empty:
        return None
    found = found.fillna(dict.fromkeys(_labels(found), ""))
    return found.drop(columns="time") if found["time"].nunique() == 1 else found


def history(metrics: Metrics, expression: str, seconds: int) -> Plot | None:
    """The values of the last so many seconds: a line per series, and a table of its last, lowest and highest value."""
    end = pd.Timestamp.now("UTC")
    start = end - pd.Timedelta(seconds=seconds)
    found = metrics.history(expression, start, end, step=max(1.0, seconds / panels.POINTS)).dropna(subset=["value"])
    if found.empty:
        return None
    drawn = panels.Drawn(Panel("Value", expression, "short", ()), dict(_lines(found)))
    title = " ".join(expression.split())
    alt = f"{title}: {quantity(len(drawn.lines), 'series')}; their values are in the table."
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.4 * WIDTH, 2.6), layout="constrained")
        axes = figure.subplots()
        panels.draw(axes, drawn, start, end)
        axes.set_xticks(pd.date_range(start, end, periods=TICKS))  # the automatic ones do not fit any span
        drawing = svg(figure, alt)
    rows = [(name, values.iloc[-1], values.min(), values.max()) for name, values in drawn.lines.items()]
    return Plot(title, drawing, alt, pd.DataFrame(rows, columns=["series", "last", "lowest", "highest"]))


def _lines(found: pd.DataFrame) -> Iterator[tuple[str, pd.Series[float]]]:
    """Each series over time; its name has the labels by which the series differ."""
    labels = _labels(found)
    telling = [label for label in labels if found[label].nunique(dropna=False) > 1]
    if not telling:
        yield "value", found.set_index("time")["value"]
        return
    for key, rows in found.groupby(telling, dropna=False, sort=False):
        of = {label: value for label, value in zip(telling, key, strict=True) if pd.notna(value)}
        yield ", ".join(f"{label}={value}" for label, value in of.items()), rows.set_index("time")["value"]


def _labels(found: pd.DataFrame) -> list[str]:
    return [name for name in found.columns if name not in ("time", "value")]


def _client(names: Mapping[str, Any], name: str) -> Metrics:
    """The client of a variable.  Raises UsageError, with the variables that have one, for any other name."""
    found = names.get(name)
    if isinstance(found, Metrics):
        return found
    clients = [other for other, value in names.items() if isinstance(value, Metrics) and not other.startswith("_")]
    step = f"%%promql {' or %%promql '.join(clients)}" if clients else f"{CLIENT} = kit.stacks.metrics.install(cluster)"
    raise UsageError(f"no variable {name} has a client of a Prometheus", hint=step)


def _seconds(span: str) -> int:
    """The length of a span; 0 for none."""
    found = SPAN.fullmatch(span)
    if span and not found:
        raise UsageError(f"{span!r} is not a span of time", hint="like 90s, 5m or 1h")
    return int(found[1]) * UNITS[found[2]] if found else 0


@contextmanager
def _explained(expression: str) -> Iterator[None]:
    """Let an error of the expression point into the cell, in which %%promql is the first line."""
    try:
        yield
    except ClusterError as e:
        if kind := NO_MOMENT.search(e.message):
            raise UsageError(
                f"--last draws one value per moment, and the expression gives a {kind[1]}",
                hint="apply a function such as rate() to a range, or leave out --last",
            ) from e
        found = MISTAKE.search(e.message)
        if found is None:
            raise
        line, column = int(found[1]), int(found[2])
        typed = expression.splitlines()[line - 1]
        raise UsageError(
            f"line {line + 1}: {found[3]}", hint=DOCUMENTED, observed=(typed, " " * (column - 1) + "^")
        ) from e


def _nothing(metrics: Metrics, expression: str, client: str) -> Iterator[str]:
    """Why there is no series, as far as the names of its metrics tell."""
    yield "Prometheus has no series for this expression."
    known = metrics.ask("label/__name__/values")
    missing = sorted(set(_selected(metrics.ask("parse_query", query=expression))) - set(known))
    for name in missing:
        yield f"No metric is called {name}: {meant(name, known, f'is its target up? `{client}.targets()` lists all')}"
    if not missing:
        yield "Its metrics exist: does a label have another value, or is a window shorter than two scrapes?"


def _selected(node: Any) -> Iterator[str]:
    """The names of the metrics in an expression.  node: as Prometheus parses it, or a part of that."""
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get("type") in SELECTORS and node.get("name"):
        yield node["name"]
    for part in parts:
        yield from _selected(part)
