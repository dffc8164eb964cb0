"""Every repeat as a dot, with median and quartiles of each treatment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kitlib.host.stats import quantity, scale
from kitlib.views.plots.base import INK, PALETTE, STYLE, WIDTH, label, legend, names, svg


def draw(
    runs: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    by: Sequence[str],
    target: Mapping[str, float],
    *,
    log: bool,
    alt: str,
) -> str:
    """Draw one axes per metric: each repeat as a dot, each treatment's median and quartiles.  Returns SVG with `alt` as its label."""
    columns = min(2, len(tables))
    lines = -(-len(tables) // columns)
    rows = max(len(table) for table in tables.values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, lines * (0.38 * rows + 0.9)), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        for i, (axes, (metric, table)) in enumerate(zip(panels, tables.items(), strict=False)):
            _dots(axes, runs[runs["metric"] == metric], table, by, target)
            axes.set_xlabel(label(metric, table["unit"].iloc[0]))
            axes.set_xscale("log" if log else "linear")
            if not log and (table["q1"] >= 0).all():
                axes.set_xlim(0, max(axes.get_xlim()[1], 1e-9))
            axes.tick_params(axis="y", length=0, labelleft=i % columns == 0)
        for spare in panels[len(tables) :]:
            spare.set_axis_off()
        return svg(figure, alt)


def _dots(axes: Axes, rows: pd.DataFrame, table: pd.DataFrame, by: Sequence[str], target: Mapping[str, float]) -> None:
    divisor, _ = scale(table["unit"].iloc[0])
    levels = names(table, by)
    level = names(rows, by)
    for y, (name, (_, row)) in enumerate(zip(levels, table.iterrows(), strict=True)):
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
    for other in target.keys() - set(levels):
        axes.axvline(target[other] / divisor, color=INK, linestyle="--", linewidth=1, label=other)
    axes.set_yticks(range(len(levels)), levels)
    axes.set_ylim(-0.6, len(levels) - 0.4)
    legend(axes)
