"""Measured against predicted: every trial, the mean with its interval, and where the formula puts it."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kitlib.claims.register import claim
from kitlib.claims.rules.agreement import Pair, pairs
from kitlib.host.stats import quantity, scale
from kitlib.views.plots.base import INK, PALETTE, STYLE, WIDTH, Plot, label, legend, svg


def plot(runs: pd.DataFrame, *, title: str | None = None) -> Plot:
    """One row per level of the rule's column, in the order of the predictions."""
    it = claim(str(runs["claim"].iloc[0]))
    unit = str(runs[runs["metric"] == it.rule["metric"]]["unit"].iloc[0])
    found = sorted(pairs(runs, it.rule), key=lambda pair: pair.predicted)
    table = pd.DataFrame([_row(pair, it.rule["column"], unit) for pair in found])
    words = "; ".join(
        f"{pair.level} {quantity(pair.mean, unit)} against {quantity(pair.predicted, unit)}" for pair in found
    )
    alt = f"{title or it.title} – mean of {it.rule['metric']} measured against predicted: {words}."
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.55 * len(found) + 1.1), layout="constrained")
        axes = figure.subplots()
        for y, pair in enumerate(found):
            _draw(axes, y, pair, scale(unit)[0])
        axes.set(xlabel=label(it.rule["metric"], unit), ylim=(-0.6, len(found) - 0.4), xlim=(0, None))
        axes.set_yticks(range(len(found)), [pair.level for pair in found])
        axes.tick_params(axis="y", length=0)
        legend(axes)
        return Plot(title or it.title, svg(figure, alt), alt, table)


def _row(pair: Pair, column: str, unit: str) -> dict[str, object]:
    return {
        column: pair.level,
        "n": len(pair.values),
        "mean": quantity(pair.mean, unit),
        "95 % from": quantity(pair.low, unit),
        "to": quantity(pair.high, unit),
        "predicted": quantity(pair.predicted, unit),
        "off by": f"{100 * pair.off:+.1f} %",
    }


def _draw(axes: Axes, y: int, pair: Pair, divisor: float) -> None:
    values = np.asarray(pair.values) / divisor
    spread = np.linspace(-0.25, 0.25, len(values) + 2)[1:-1]
    axes.plot(values, y + spread, "o", color=PALETTE[0], alpha=0.6, markersize=4, markeredgewidth=0, label="a trial")
    ends = [pair.low / divisor, pair.high / divisor]
    axes.plot(ends, [y, y], color=PALETTE[1], linewidth=5, alpha=0.6, label="mean, 95 % interval")
    axes.plot(pair.mean / divisor, y, "|", color=PALETTE[1], markersize=20, markeredgewidth=2)
    axes.plot(pair.predicted / divisor, y, "D", color=INK, fillstyle="none", markersize=9, label="the formula")
