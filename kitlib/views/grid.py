"""Two treatments against each other as a table of figures, shaded by the first of them: SVG for a page, and a table as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kitlib.claims.register import claim
from kitlib.errors import ClaimError
from kitlib.host.stats import quantity
from kitlib.views.plots.base import INK, PALETTE, STYLE, WIDTH, Plot, svg

SHADE = 0.55  # opacity of the worst cell: text on it keeps its contrast on light and on dark pages
NOTHING = "–"

Names = Sequence[str]
Cells = Mapping[tuple[str, str], tuple[str, float]]


def grid(
    runs: pd.DataFrame, column: str, metrics: Names, *, rows: Names, columns: Names, separator: str = ", "
) -> Plot:
    """Medians of a treatment column whose levels are "<row><separator><column>"; rows and columns in the order given.

    metrics: the first shades the cells, from none to the worst on a scale of logarithms; all of them stand in each, with units.
    Rows and columns that were not measured at all are left out, single cells that were not are empty.
    Raises ClaimError when nothing was measured.
    """
    cells = _cells(runs, column, metrics, separator)
    rows = [row for row in rows if any(row == r for r, _ in cells)]
    columns = [col for col in columns if any(col == c for _, c in cells)]
    title = claim(str(runs["claim"].iloc[0])).title
    told = "; ".join(f"{row}, {col}: {text.replace(chr(10), ', ')}" for (row, col), (text, _) in cells.items())
    alt = f"{title} – {' and '.join(metrics)}, median: {told}."
    table = [{"": row, **{col: cells.get((row, col), (NOTHING, 0))[0] for col in columns}} for row in rows]
    return Plot(title, _draw(cells, rows, columns, metrics[0], alt), alt, pd.DataFrame(table))


def _cells(runs: pd.DataFrame, column: str, metrics: Names, separator: str) -> Cells:
    """(row, column) -> text, and the first metric's share of its worst, both as logarithms."""
    found = runs[runs["metric"].isin(metrics)]
    if found.empty or column not in found:
        raise ClaimError(f"no rows of {' or '.join(metrics)} by {column} to draw")
    medians = found.pivot_table(index=column, columns="metric", values="value", aggfunc="median")
    units = found.groupby("metric")["unit"].first()
    shades = np.log1p(medians[metrics[0]])  # a few failures differ from none more than many from a few more
    cells = {}
    for level, row in medians.iterrows():
        first, _, second = str(level).partition(separator)
        text = "\n".join(_words(metric, row[metric], units[metric]) for metric in metrics)
        cells[first, second] = (text, float(shades[level] / (shades.max() or 1.0)))
    return cells


def _words(metric: str, value: float, unit: str) -> str:
    return f"{quantity(value, '')} {metric}" if unit == "count" else quantity(value, unit)


def _draw(cells: Cells, rows: Names, columns: Names, metric: str, alt: str) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.55 * len(rows) + 0.9), layout="constrained")
        axes = figure.subplots()
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                _cell(axes, x, y, *cells.get((row, column), (NOTHING, 0.0)))
        axes.set(
            xlim=(0, len(columns)),
            ylim=(len(rows), 0),
            xlabel=f"the stronger the colour, the more {metric} (logarithmic)",
        )
        axes.set_xticks([x + 0.5 for x in range(len(columns))], columns)
        axes.set_yticks([y + 0.5 for y in range(len(rows))], rows)
        axes.tick_params(length=0, bottom=False, labelbottom=False, labeltop=True)
        axes.spines[:].set_visible(False)
        return svg(figure, alt)


def _cell(axes: Axes, x: int, y: int, text: str, share: float) -> None:
    place, size = (x + 0.02, y + 0.04), (0.96, 0.92)
    axes.add_patch(Rectangle(place, *size, facecolor=PALETTE[1], alpha=SHADE * share, linewidth=0))
    axes.add_patch(Rectangle(place, *size, facecolor="none", edgecolor=INK, linewidth=0.5))
    axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=9)
