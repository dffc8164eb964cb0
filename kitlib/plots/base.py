"""A runs frame as a figure: inline SVG that reads on light and on dark, with alt text and its table of data.

Everything in the figure is computed from the frame and the register.  Drawn with matplotlib's objects, without pyplot, so that
no figure outlives its cell.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kitlib.claims import Claim, claim
from kitlib.errors import ClaimError
from kitlib.experiments import treatment_columns
from kitlib.rules import trials
from kitlib.stats import Slope, quantity, scale, slope, summary

INK = "#010203"  # stands for the page's own text colour; no palette colour is equal to it
# Okabe and Ito's hues, their lightness moved to where each has a contrast of 3 on white and on JupyterLab's dark (#111)
PALETTE = ("#1f86c8", "#d55e00", "#00906a", "#b9619a", "#a87900", "#7a78c8", "#808080")
MARKERS = "osD^vPX"
WIDTH = 5.6  # inches: small enough to be read when a phone scales it down
STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "legend.frameon": False,
} | dict.fromkeys(
    ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"), INK
)


@dataclass(frozen=True)
class Plot:
    """What a cell shows: the drawing, its text for those who do not see it, and the medians as a table."""

    title: str
    svg: str
    alt: str
    table: pd.DataFrame

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": f"{self.alt}\n\n{self.table.to_string(index=False)}"}

    def _html(self) -> str:
        return (
            f'<figure style="margin:0;max-width:48em"><figcaption><strong>{escape(self.title)}</strong></figcaption>{self.svg}'
            f"<details><summary>Data</summary>{self.table.to_html(index=False, border=0)}</details></figure>"
        )


def plot(
    runs: pd.DataFrame,
    *,
    metric: str | None = None,
    x: str | None = None,
    log: bool = False,
    target: Mapping[str, float] | None = None,
    title: str | None = None,
) -> Plot:
    """Every repeat as a dot, with median and quartiles of each treatment; or the picture that the claim's rule asks for.

    metric: by default the claim's; a rule on an order draws one panel a metric, a rule on a slope a scatter with its line.
    x: the treatment column to compare, by default all.  target: treatment -> a value to mark in its row, in the metric's unit;
    a label that is no treatment is a line across.  By default a rule's own figures.
    """
    if runs.empty:
        raise ClaimError("there is nothing to plot: the frame has no rows")
    it = claim(str(runs["claim"].iloc[0]))
    kind = it.rule["kind"]
    if kind == "slope" and metric is None and x is None:
        return plot_slope(runs, title=title)
    order = [it.rule["by"], *it.rule["metrics"]] if kind == "monotone" else [it.metric]
    by = [x] if x else treatment_columns(runs)
    metrics = [metric] if metric else order
    tables = {name: _table(runs, name, by, first=order[0]) for name in metrics}
    marks = _figures_of(it, metrics[0]) if target is None else target
    name = title or it.title
    alt = f"{name} – " + " ".join(_alt(each, table, by) for each, table in tables.items())
    return Plot(name, _draw_dots(runs, tables, by, marks, log=log, alt=alt), alt, _shown(tables, by))


def plot_slope(runs: pd.DataFrame, *, title: str | None = None) -> Plot:
    """Each trial as a dot over its size, the least-squares line, and the bootstrap band around it."""
    it = claim(str(runs["claim"].iloc[0]))
    rule = it.rule
    x, y, units = trials(runs, rule)
    levels = runs[runs["metric"] == rule["metric"]][rule["column"]].to_numpy()
    line = slope(x, y, min_repeats=rule["min_repeats"])
    table = _table(runs, rule["metric"], [rule["column"]], first=rule["x"])
    alt = f"{title or it.title} – {_alt(rule['metric'], table, [rule['column']])}{_line_words(line, rule, units)}"
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
        axes = figure.subplots()
        _draw_line(axes, np.asarray(x), line, rule["confidence"])
        for i, level in enumerate(dict.fromkeys(levels)):
            here = levels == level
            axes.plot(
                np.asarray(x)[here], np.asarray(y)[here], MARKERS[i % 7], color=PALETTE[i % 7], alpha=0.8, label=level
            )
        axes.set(
            xlabel=_label(rule["x"], units[0]), ylabel=_label(rule["metric"], units[1]), xlim=(0, None), ylim=(0, None)
        )
        figure.legend(loc="outside lower center", ncols=3, fontsize=9, handletextpad=0.2)
        svg = _svg(figure, alt)
    return Plot(title or it.title, svg, alt, _shown({rule["metric"]: table}, [rule["column"]]))


def _table(runs: pd.DataFrame, metric: str, by: Sequence[str], first: str) -> pd.DataFrame:
    """The summary of one metric with its unit, ordered by the median of the metric `first` where that was measured."""
    rows = runs[runs["metric"] == metric]
    if rows.empty:
        present = ", ".join(sorted(set(runs["metric"])))
        raise ClaimError(f"no rows of metric {metric!r} to plot", observed=[f"the frame has: {present}"])
    if not by or (missing := [column for column in by if column not in runs.columns]):
        raise ClaimError(f"no treatment column {missing[0]!r}" if by else "the frame has no treatment to compare")
    table = summary(rows, by).assign(unit=rows["unit"].iloc[0])
    rank = summary(runs[runs["metric"] == first], by)[list(by)].reset_index(names="rank")
    return table.merge(rank, how="left", on=list(by)).sort_values("rank", kind="stable", ignore_index=True)


def _names(table: pd.DataFrame, by: Sequence[str]) -> list[str]:
    return [" · ".join(map(str, row)) for row in table[list(by)].itertuples(index=False)]


def _alt(metric: str, table: pd.DataFrame, by: Sequence[str]) -> str:
    parts = [
        f"{name} median {quantity(row.median, row.unit)} (IQR {quantity(row.iqr, row.unit)}, n = {row.n})"
        for name, row in zip(_names(table, by), table.itertuples(), strict=True)
    ]
    return f"{metric} by {' and '.join(by)}: {'; '.join(parts)}."


def _shown(tables: Mapping[str, pd.DataFrame], by: Sequence[str]) -> pd.DataFrame:
    rows = []
    for metric, table in tables.items():
        for name, (_, row) in zip(_names(table, by), table.iterrows(), strict=True):
            spread = {"median": quantity(row["median"], row["unit"]), "IQR": quantity(row["iqr"], row["unit"])}
            rows.append({"metric": metric, " · ".join(by): name, "n": row["n"], **spread})
    return pd.DataFrame(rows)


def _figures_of(it: Claim, metric: str) -> dict[str, float]:
    """What the guide says of each treatment, where the claim's rule compares figures of this metric."""
    figures = it.rule.get("figures", ()) if it.rule.get("metric") == metric else ()
    return {figure["of"]: figure.get("about", figure.get("below")) for figure in figures}


def _label(metric: str, unit: str) -> str:
    name = scale(unit)[1]
    words = re.sub(r"_(mb|seconds)$", "", metric).replace("_", " ")  # the unit follows
    return f"{words} ({name})" if name else words


def _draw_dots(
    runs: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    by: Sequence[str],
    target: Mapping[str, float],
    *,
    log: bool,
    alt: str,
) -> str:
    columns = min(2, len(tables))
    lines = -(-len(tables) // columns)
    rows = max(len(table) for table in tables.values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, lines * (0.38 * rows + 0.9)), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        for i, (axes, (metric, table)) in enumerate(zip(panels, tables.items(), strict=False)):
            _dots(axes, runs[runs["metric"] == metric], table, by, target)
            axes.set_xlabel(_label(metric, table["unit"].iloc[0]))
            axes.set_xscale("log" if log else "linear")
            if not log and (table["q1"] >= 0).all():
                axes.set_xlim(0, max(axes.get_xlim()[1], 1e-9))
            axes.tick_params(axis="y", length=0, labelleft=i % columns == 0)
        for spare in panels[len(tables) :]:
            spare.set_axis_off()
        return _svg(figure, alt)


def _dots(axes: Axes, rows: pd.DataFrame, table: pd.DataFrame, by: Sequence[str], target: Mapping[str, float]) -> None:
    divisor, _ = scale(table["unit"].iloc[0])
    names = _names(table, by)
    level = _names(rows, by)
    for y, (name, (_, row)) in enumerate(zip(names, table.iterrows(), strict=True)):
        values = rows["value"].to_numpy(float)[[n == name for n in level]] / divisor
        spread = np.linspace(-0.2, 0.2, len(values) + 2)[1:-1]  # repeats of one value stay visible
        axes.plot([row["q1"] / divisor, row["q3"] / divisor], [y, y], color=PALETTE[1], linewidth=5, alpha=0.5)
        axes.plot(row["median"] / divisor, y, "|", color=PALETTE[1], markersize=20, markeredgewidth=2, clip_on=False)
        axes.plot(
            values, y + spread, "o", color=PALETTE[0], alpha=0.8, markersize=4.5, markeredgewidth=0, clip_on=False
        )
        text = quantity(row["median"], row["unit"])
        axes.annotate(text, (1.01, y), xycoords=("axes fraction", "data"), va="center", fontsize=9)
        if name in target:
            axes.plot(
                target[name] / divisor, y, "D", color=INK, fillstyle="none", markersize=9, label="the guide's figure"
            )
    for label in target.keys() - set(names):
        axes.axvline(target[label] / divisor, color=INK, linestyle="--", linewidth=1, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    _legend(axes)


def _legend(axes: Axes) -> None:
    handles = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if handles:
        axes.legend(handles.values(), handles.keys(), loc="lower right", bbox_to_anchor=(1, 1), fontsize=9)


def _draw_line(axes: Axes, x: Any, line: Slope | None, confidence: float) -> None:
    if line is None:
        return
    ends = np.linspace(0, x.max() * 1.05, 50)
    low, high = line.band(ends, confidence)
    axes.fill_between(
        ends, low, high, color=PALETTE[6], alpha=0.25, linewidth=0, label=f"{quantity(100 * confidence, '%')} band"
    )
    axes.plot(ends, line.intercept + line.value * ends, color=INK, linewidth=1.2, label="least-squares line")


def _line_words(line: Slope | None, rule: Mapping[str, Any], units: tuple[str, str]) -> str:
    if line is None:
        return " Too few trials for a line."
    low, high = (bound * rule["per"] for bound in line.interval(rule["confidence"]))
    unit = f"{units[1]} per {quantity(rule['per'], units[0])}"
    return f" The line rises by {line.value * rule['per']:.3g} {unit} ({quantity(100 * rule['confidence'], '%')} {low:.3g} to {high:.3g})."


def _svg(figure: Figure, alt: str) -> str:
    """The drawing as an element of a page: the page's text colour, ids of its own, no style that leaks, no date."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "kit"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # its selector is *, which would be the whole page
    key = "p" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", svg)
    style = "max-width:100%;height:auto;stroke-linejoin:round"
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}" style="{style}"', 1)
