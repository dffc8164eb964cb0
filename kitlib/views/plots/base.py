"""The common parts of all figures: colours, the shape of a Plot, the table of medians, and SVG that fits any page.

Everything in a figure is computed from the frame and the register.  Drawn with matplotlib's objects, without pyplot, so that
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
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kitlib.claims.rows import treatment_columns
from kitlib.errors import ClaimError, meant
from kitlib.host.stats import quantity, scale, summary

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
    """The output of a cell: the drawing, its alternative text, and the medians as a table.

    svg: "" where there is nothing to draw; then the table itself is shown.  A table that is too wide scrolls sideways.
    """

    title: str
    svg: str
    alt: str
    table: pd.DataFrame

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": f"{self.alt}\n\n{self.table.to_string(index=False)}"}

    def _html(self) -> str:
        table = f'<div style="overflow-x:auto">{self.table.to_html(index=False, border=0)}</div>'
        shown = f"{self.svg}<details><summary>Data</summary>{table}</details>" if self.svg else table
        return f'<figure style="margin:0;max-width:48em"><figcaption><strong>{escape(self.title)}</strong></figcaption>{shown}</figure>'


def medians(runs: pd.DataFrame, metric: str, by: Sequence[str], first: str) -> pd.DataFrame:
    """The summary of one metric with its unit, ordered by the median of the metric `first` where that was measured."""
    rows = runs[runs["metric"] == metric]
    if rows.empty:
        raise ClaimError(f"no rows of metric {metric!r} to plot", hint=meant(metric, sorted(set(runs["metric"]))))
    if not by:
        raise ClaimError("the frame has no treatment to compare")
    if missing := [column for column in by if column not in runs.columns]:
        raise ClaimError(f"no treatment column {missing[0]!r}", hint=meant(missing[0], treatment_columns(runs)))
    table = summary(rows, by).assign(unit=rows["unit"].iloc[0])
    rank = summary(runs[runs["metric"] == first], by)[list(by)].reset_index(names="rank")
    return table.merge(rank, how="left", on=list(by)).sort_values("rank", kind="stable", ignore_index=True)


def names(table: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """A label for each row of the table: the levels of the columns `by`, joined."""
    return [" · ".join(map(str, row)) for row in table[list(by)].itertuples(index=False)]


def in_words(metric: str, table: pd.DataFrame, by: Sequence[str]) -> str:
    """The table of one metric as a sentence, for the plot's alternative text."""
    parts = [
        f"{name} median {quantity(row.median, row.unit)} (IQR {quantity(row.iqr, row.unit)}, n = {row.n})"
        for name, row in zip(names(table, by), table.itertuples(), strict=True)
    ]
    return f"{metric} by {' and '.join(by)}: {'; '.join(parts)}."


def shown(tables: Mapping[str, pd.DataFrame], by: Sequence[str]) -> pd.DataFrame:
    """The tables of all metrics as one for the reader, with medians and IQRs written in their units."""
    rows = []
    for metric, table in tables.items():
        for name, (_, row) in zip(names(table, by), table.iterrows(), strict=True):
            spread = {"median": quantity(row["median"], row["unit"]), "IQR": quantity(row["iqr"], row["unit"])}
            rows.append({"metric": metric, " · ".join(by): name, "n": row["n"], **spread})
    return pd.DataFrame(rows)


def label(metric: str, unit: str) -> str:
    """An axis' label: the metric in words, with the unit that people read."""
    name = scale(unit)[1]
    words = re.sub(r"_(mb|seconds)$", "", metric).replace("_", " ")  # the unit follows
    return f"{words} ({name})" if name else words


def legend(axes: Axes) -> None:
    """Draw a legend above the axes, with one entry per label; nothing when no artist has one."""
    handles = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if handles:
        axes.legend(handles.values(), handles.keys(), loc="lower right", bbox_to_anchor=(1, 1), fontsize=9)


def svg(figure: Figure, alt: str) -> str:
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
