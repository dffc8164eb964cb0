"""Rules on how one metric moves with another: an order, and a slope."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kitlib.errors import ClaimError
from kitlib.rules.base import NUMBER, Outcome, Params, Rule, all_some_none, levels, medians, percent, rows, split
from kitlib.stats import Values, quantity, slope
from kitlib.verdict import Word


def _monotone(runs: pd.DataFrame, p: Params) -> Outcome:
    """Each metric never falls as `by` grows; the sample is each metric's share of pairs of levels in this order."""
    metrics = [p["by"], *p["metrics"]]
    table = medians(runs, p["column"], metrics, levels(runs, p["column"], metrics))
    kept = {metric: _share_in_order(table[p["by"]], table[metric]) for metric in p["metrics"]}
    rises = {metric: share == 1 for metric, share in kept.items()}
    flat = [metric for metric in p["metrics"] if table[metric].nunique() == 1]
    order = ", ".join(table.sort_values(p["by"]).index)
    reading = f"In order of {p['by']} ({order}), {sum(rises.values())} of {len(rises)} metrics never fall"
    reading += f"; {', '.join(flat)} is the same everywhere." if flat else "."
    shares = [100 * share for share in kept.values()]
    reason = split("never falls", "does not keep the order", rises)
    return Outcome(all_some_none(rises.values()), reading, "% of pairs", shares, len(shares), reason)


def _share_in_order(by: pd.Series[float], metric: pd.Series[float]) -> float:
    """Of all pairs of levels that differ in `by`, the share in which the larger one has no less of the metric."""
    x, y = by.to_numpy(float), metric.to_numpy(float)
    i, j = np.nonzero(x[:, None] < x[None, :])
    if not len(i):
        raise ClaimError("an order needs at least two levels of different size")
    return float(np.mean(y[i] <= y[j]))


def _slope(runs: pd.DataFrame, p: Params) -> Outcome:
    """The bootstrap interval of the slope of `metric` on `x`, per `per` units of x, against zero."""
    x, y, units = trials(runs, p)
    unit = f"{units[1]} per {quantity(p['per'], units[0])}"
    line = slope(x, y, min_repeats=p["min_repeats"])
    if line is None:
        reason = (
            f"not resolved with {len(y)} trials: the rule asks for {p['min_repeats']} of each of at least two sizes"
        )
        return Outcome("depends", f"{len(y)} trials give no interval of the slope.", unit, [], len(y), reason)
    low, high = (bound * p["per"] for bound in line.interval(p["confidence"]))
    word: Word = "holds" if low > 0 else "refuted" if high <= 0 else "depends"
    found = f"{line.value * p['per']:.3g} {unit}, {percent(p['confidence'])} interval {low:.3g} to {high:.3g}"
    reading = f"The slope is {found}, over {len(y)} trials."
    reason = f"not resolved at n = {len(y)}: the interval includes zero" if word == "depends" else ""
    return Outcome(word, reading, unit, line.slopes * p["per"], len(y), reason)


def trials(runs: pd.DataFrame, p: Params) -> tuple[Values, Values, tuple[str, str]]:
    """x and y of each trial of a slope rule, and their units; x is a property of the level, and so its median."""
    found = rows(runs, p["metric"], {})
    sizes = medians(runs, p["column"], [p["x"]], levels(runs, p["column"], [p["metric"]]))[p["x"]]
    x_unit = rows(runs, p["x"], {})["unit"].iloc[0]
    return (
        found[p["column"]].map(sizes).to_numpy(float),
        found["value"].to_numpy(float),
        (x_unit, found["unit"].iloc[0]),
    )


MONOTONE = Rule(
    _monotone,
    lambda p, _: f"holds if none of {', '.join(p['metrics'])} falls as {p['by']} grows, depends if some do",
    {"column": str, "by": str, "metrics": list},
)
SLOPE = Rule(
    _slope,
    lambda p, _: (
        f"holds if the {percent(p['confidence'])} interval of the slope of {p['metric']} on {p['x']} is above zero, "
        "refuted if it is not, depends if it includes zero"
    ),
    {"column": str, "metric": str, "x": str, "per": NUMBER, "confidence": NUMBER, "min_repeats": int},
)
