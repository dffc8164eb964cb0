"""The rule that sets a measured mean against what a formula predicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kitlib.rules.base import NUMBER, Outcome, Params, Rule, all_some_none, levels, percent, rows, split
from kitlib.stats import Values, interval, quantity


@dataclass(frozen=True)
class Pair:
    """One level: its trials, and the mean of what the formula says of them.  low, high: bootstrap interval of the mean, if n > 1."""

    level: str
    values: Values
    predicted: float
    low: float
    high: float

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def off(self) -> float:
        """Relative deviation of the mean from the prediction; infinite where only the prediction is zero."""
        if self.predicted == 0:
            return 0.0 if self.mean == 0 else float("inf")
        return self.mean / self.predicted - 1


def pairs(runs: pd.DataFrame, p: Params) -> list[Pair]:
    """Measured against predicted, one pair a level of the treatment, the smallest prediction first."""
    found = (_pair(runs, p, level) for level in levels(runs, p["column"], [p["metric"]]))
    return sorted(found, key=lambda pair: pair.predicted)


def _pair(runs: pd.DataFrame, p: Params, level: str) -> Pair:
    values = rows(runs, p["metric"], {p["column"]: level})["value"].to_numpy(float)
    predicted = float(rows(runs, p["predicted"], {p["column"]: level})["value"].mean())
    low, high = interval(values, np.mean) or (values[0], values[0])
    return Pair(str(level), values, predicted, low, high)


def _agreement(runs: pd.DataFrame, p: Params) -> Outcome:
    """The mean of each level within a share of the prediction; the sample is every trial as a percentage of its prediction."""
    unit = rows(runs, p["metric"], {})["unit"].iloc[0]
    found = pairs(runs, p)
    within = {pair.level: abs(pair.off) <= p["within"] for pair in found}
    reading = "; ".join(
        f"{pair.level}: mean {quantity(pair.mean, unit)} (95 % {quantity(pair.low, unit)} to {quantity(pair.high, unit)}, "
        f"n = {len(pair.values)}) against {quantity(pair.predicted, unit)} predicted, {100 * pair.off:+.1f} %"
        for pair in found
    )
    shares = [100 * v / pair.predicted for pair in found if pair.predicted for v in pair.values]
    n = sum(len(pair.values) for pair in found)
    reason = split("within the bound", "outside it", within)
    return Outcome(all_some_none(within.values()), f"{reading}.", "% of predicted", shares, n, reason)


AGREEMENT = Rule(
    _agreement,
    lambda p, _: (
        f"holds if the mean of {p['metric']} is within {percent(p['within'])} of {p['predicted']} "
        f"for every {p['column']}, depends if it is for some"
    ),
    {"column": str, "metric": str, "predicted": str, "within": NUMBER},
)
