"""Each way against one of them, along a treatment: where do the lines cross?"""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from kitlib.claims.register import claim
from kitlib.claims.rules.base import rows
from kitlib.claims.rules.crossing import Series, series
from kitlib.host.stats import quantity, summary
from kitlib.views.plots.base import INK, MARKERS, PALETTE, STYLE, WIDTH, Plot, svg


def plot(runs: pd.DataFrame, *, title: str | None = None) -> Plot:
    """One panel per level of the rule's `each`, one line per way; the way that is compared against is the level line at 100 %."""
    it = claim(str(runs["claim"].iloc[0]))
    p = it.rule
    found = rows(runs, p["metric"], {})
    others = [way for way in dict.fromkeys(found[p["column"]].sort_values()) if way != p["against"]]
    lines = {way: series(runs, p, way) for way in others}
    alt = f"{title or it.title} – {p['metric']} in % of {p['against']}, along {p['along']}: " + _words(lines, p["each"])
    levels = [one.level for one in lines[others[0]]]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
        panels = figure.subplots(1, len(levels), sharey=True, squeeze=False).ravel()
        for i, (axes, level) in enumerate(zip(panels, levels, strict=True)):
            _draw(axes, {way: lines[way][i] for way in others})
            axes.set_title(f"{p['each']} {level}", fontsize=10)
        panels[0].set_ylabel(f"{p['metric']} (% of {p['against']})")
        figure.supxlabel(p["along"].replace("_us", " (µs)"), fontsize=11)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=9)
        drawn = svg(figure, alt)
    return Plot(title or it.title, drawn, alt, _table(found, [p["column"], p["each"], p["along"]]))


def _draw(axes: Axes, lines: dict[str, Series]) -> None:
    for i, (way, one) in enumerate(lines.items()):
        values = [100 * ratio for ratio in one.ratios]
        axes.plot(range(len(values)), values, f"{MARKERS[i % 7]}-", color=PALETTE[i % 7], markersize=5, label=way)
        axes.set_xticks(range(len(one.xs)), [f"{x:g}" for x in one.xs])
    axes.axhline(100, color=INK, linewidth=1, linestyle="--")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _words(lines: dict[str, list[Series]], each: str) -> str:
    parts = [
        f"{way} with {each} {one.level}: {', '.join(quantity(100 * ratio, '%') for ratio in one.ratios)}"
        for way, some in lines.items()
        for one in some
    ]
    return "; ".join(parts) + "."


def _table(found: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    unit = found["unit"].iloc[0]
    table = summary(found, by).sort_values(by, ignore_index=True)
    spread = {
        "median": table["median"].map(lambda v: quantity(v, unit)),
        "IQR": table["iqr"].map(lambda v: quantity(v, unit)),
    }
    return table[[*by, "n"]].assign(**spread)
