"""A runs frame as a figure: inline SVG that reads on light and on dark, with alt text and its table of data."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kitlib.claims.register import Claim, claim
from kitlib.claims.rows import treatment_columns
from kitlib.errors import ClaimError
from kitlib.views.plots import agreement, answers, crossing, dots, lines
from kitlib.views.plots.base import INK, PALETTE, Plot, in_words, medians, shown

__all__ = ["INK", "PALETTE", "Plot", "plot"]


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

    Metrics of a 0/1 unit are a table of yes and no.

    metric: by default the claim's; a rule on an order draws one panel a metric, a rule on a slope a scatter with its line.
    x: the treatment column to compare, by default all.  target: treatment -> a value to mark in its row, in the metric's unit;
    a label that is no treatment is a line across.  By default a rule's own figures.
    """
    if runs.empty:
        raise ClaimError("there is nothing to plot: the frame has no rows")
    it = claim(str(runs["claim"].iloc[0]))
    kind = it.rule["kind"]
    if kind in PICTURES and metric is None and x is None:
        return PICTURES[kind](runs, title=title)
    order = [it.rule["by"], *it.rule["metrics"]] if kind == "monotone" else [it.metric]
    by = [x] if x else treatment_columns(runs)
    name = title or it.title
    yes_no = answers.asked(runs, it, metric or it.metric) if kind != "monotone" or metric else []
    if yes_no and by and set(by) <= set(runs.columns):
        return answers.plot(runs, [metric] if metric else yes_no, by, name)
    metrics = [metric] if metric else order
    tables = {name: medians(runs, name, by, first=order[0]) for name in metrics}
    marks = _figures_of(it, metrics[0]) if target is None else target
    alt = f"{name} – " + " ".join(in_words(each, table, by) for each, table in tables.items())
    return Plot(name, dots.draw(runs, tables, by, marks, log=log, alt=alt), alt, shown(tables, by))


def _figures_of(it: Claim, metric: str) -> dict[str, float]:
    """The guide's figure for each treatment, where the claim's rule compares figures of this metric."""
    figures = it.rule.get("figures", ()) if it.rule.get("metric") == metric else ()
    return {figure["of"]: figure.get("about", figure.get("below")) for figure in figures}


PICTURES = {"agreement": agreement.plot, "crossover": crossing.plot, "slope": lines.plot}
