"""Rules on how one metric moves with another: an order, and a slope."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kitlib.claims.rules.base import (
    NUMBER,
    Outcome,
    Params,
    Rule,
    all_some_none,
    levels,
    medians,
    named,
    percent,
    rows,
    samples,
    split,
)
from kitlib.claims.rules.sentence import Thing, listed, outcome_of, quoted, sentence
from kitlib.claims.verdict import Condition, Word
from kitlib.errors import ClaimError
from kitlib.host.stats import Values, quantity, slope


def _monotone(runs: pd.DataFrame, p: Params) -> Outcome:
    """Each metric never falls as `by` grows; n is the number of metrics, because no single median can stand for them."""
    metrics = [p["by"], *p["metrics"]]
    table = medians(runs, p["column"], metrics, levels(runs, p["column"], metrics))
    kept = {metric: _share_in_order(table[p["by"]], table[metric]) for metric in p["metrics"]}
    rises = {metric: share == 1 for metric, share in kept.items()}
    flat = [metric for metric in p["metrics"] if table[metric].nunique() == 1]
    order = ", ".join(table.sort_values(p["by"]).index)
    things = [Thing(quoted(named(p, metric)), ok) for metric, ok in rises.items()]
    told = outcome_of(things, p.get("things", "metrics"), "rose or stayed the same", "fell somewhere")
    reading = sentence(f"in order of {named(p, p['by'])} ({order}), {told}")
    reading += f" {sentence('the same everywhere: ' + listed([named(p, m) for m in flat]))}" if flat else ""
    shares = [100 * share for share in kept.values()]
    return Outcome(
        verdict=all_some_none(rises.values()),
        reading=reading,
        unit="% of pairs",
        sample=shares if len(shares) == 1 else [],
        n=len(shares),
        reason=split("never falls", "does not keep the order", rises),
        treatments=tuple(s for m in metrics for s in samples(rows(runs, m, {}), [p["column"]], label=m)),
        conditions=tuple(
            Condition(m, rises[m], f"{percent(share)} of pairs in order", "all pairs") for m, share in kept.items()
        ),
    )


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
    each = samples(rows(runs, p["metric"], {}), [p["column"]])
    if line is None:
        reason = (
            f"not resolved with {len(y)} trials: the rule asks for {p['min_repeats']} of each of at least two sizes"
        )
        told = f"{len(y)} trials are too few for a slope: the rule asks for {p['min_repeats']} of each of at least two sizes."
        return Outcome("depends", told, unit, [], len(y), reason, each, conditions=(Condition("slope", None, told),))
    low, high = (bound * p["per"] for bound in line.interval(p["confidence"]))
    word: Word = "holds" if low > 0 else "refuted" if high <= 0 else "depends"
    value = line.value * p["per"]
    moved = f"{'rose' if value > 0 else 'fell'} by {quantity(abs(value), units[1])}"
    interval = f"{percent(p['confidence'])} interval {low:.3g} to {high:.3g}"
    more = f"with each {quantity(p['per'], units[0])} more of {named(p, p['x'])}, {named(p, p['metric'])} {moved}"
    reading = sentence(f"{more} ({interval}, {len(y)} trials)")
    reason = f"not resolved at n = {len(y)}: the interval includes zero" if word == "depends" else ""
    if reason:
        reading += " The interval includes zero, so that more repeats are needed."
    met = None if reason else word == "holds"
    condition = Condition("slope", met, f"{value:.3g} {unit}, {interval}", "above zero")
    return Outcome(word, reading, unit, line.slopes * p["per"], len(y), reason, each, conditions=(condition,))


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
    {"things": str},
)
SLOPE = Rule(
    _slope,
    lambda p, _: (
        f"holds if the {percent(p['confidence'])} interval of the slope of {p['metric']} on {p['x']} is above zero, "
        "refuted if it is not, depends if it includes zero"
    ),
    {"column": str, "metric": str, "x": str, "per": NUMBER, "confidence": NUMBER, "min_repeats": int},
)
