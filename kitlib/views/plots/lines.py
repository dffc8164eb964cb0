"""Each trial over its size, the least-squares line, and the bootstrap band around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kitlib.claims.register import claim
from kitlib.claims.rules.orders import trials
from kitlib.host.stats import Slope, quantity, slope
from kitlib.views.plots.base import INK, MARKERS, PALETTE, STYLE, WIDTH, Plot, in_words, label, medians, shown, svg


def plot(runs: pd.DataFrame, *, title: str | None = None) -> Plot:
    """Each trial as a dot over its size, the least-squares line, and the bootstrap band around it."""
    it = claim(str(runs["claim"].iloc[0]))
    rule = it.rule
    x, y, units = trials(runs, rule)
    levels = runs[runs["metric"] == rule["metric"]][rule["column"]].to_numpy()
    line = slope(x, y, min_repeats=rule["min_repeats"])
    table = medians(runs, rule["metric"], [rule["column"]], first=rule["x"])
    alt = f"{title or it.title} – {in_words(rule['metric'], table, [rule['column']])}{_line_words(line, rule, units)}"
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
            xlabel=label(rule["x"], units[0]), ylabel=label(rule["metric"], units[1]), xlim=(0, None), ylim=(0, None)
        )
        figure.legend(loc="outside lower center", ncols=3, fontsize=9, handletextpad=0.2)
        drawn = svg(figure, alt)
    return Plot(title or it.title, drawn, alt, shown({rule["metric"]: table}, [rule["column"]]))


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
