"""The rule that asks from where on one way is as good as another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from kitlib.rules.base import NUMBER, Outcome, Params, Rule, all_some_none, levels, ordered, percent, rows


@dataclass(frozen=True)
class Series:
    """One way against another along a treatment: ratios[i] at xs[i], which rise."""

    level: str
    xs: tuple[float, ...]
    ratios: tuple[float, ...]

    def crossing(self, share: float) -> float | None:
        """The least x from which on the ratio is at least `share`; None where it falls short at the last."""
        found = None
        for x, ratio in zip(reversed(self.xs), reversed(self.ratios), strict=True):
            if ratio < share:
                break
            found = x
        return found


def series(runs: pd.DataFrame, p: Params, of: str) -> list[Series]:
    """The ratio of `metric` of one way to that of the way `against`, medians by medians, a series a level of `each`, in order."""
    found = rows(runs, p["metric"], {})
    return [_series(found, p, of, level) for level in ordered(levels(found, p["each"], [p["metric"]]))]


def _series(found: pd.DataFrame, p: Params, of: str, level: object) -> Series:
    xs = sorted(set(rows(found, p["metric"], {p["each"]: level, p["column"]: of})[p["along"]]))
    ratios = [_median(found, p, of, level, x) / _median(found, p, p["against"], level, x) for x in xs]
    return Series(str(level), tuple(float(x) for x in xs), tuple(ratios))


def _median(found: pd.DataFrame, p: Params, way: str, level: object, x: float) -> float:
    where = {p["column"]: way, p["each"]: level, p["along"]: x}
    return float(rows(found, p["metric"], where)["value"].median())


def _crossover(runs: pd.DataFrame, p: Params) -> Outcome:
    """At every level of both treatments, at some, at none; the sample is every ratio."""
    found = series(runs, p, p["of"])
    share = 1 - p["within"]
    reached = [ratio >= share for one in found for ratio in one.ratios]
    where = "; ".join(_where(found, p, share))
    n = len(rows(runs, p["metric"], {p["column"]: p["of"]}))
    word = all_some_none(reached)
    reading = f"{p['of']} comes within {percent(p['within'])} of {p['against']} {where}."
    sample = [100 * ratio for one in found for ratio in one.ratios]
    reason = f"on {p['along']} and {p['each']}" if word == "depends" else ""
    return Outcome(word, reading, f"% of {p['against']}", sample, n, reason)


def _where(found: list[Series], p: Params, share: float) -> Iterator[str]:
    for one in found:
        x = one.crossing(share)
        where = f"from {p['along']} = {x:g}" if x is not None else "nowhere"
        yield f"{where} with {p['each']} = {one.level} (at first {percent(one.ratios[0])}, at last {percent(one.ratios[-1])} of it)"


CROSSOVER = Rule(
    _crossover,
    lambda p, _: (
        f"holds if the {p['metric']} of {p['of']} is within {percent(p['within'])} of that of {p['against']} or above it "
        f"for every {p['along']} and {p['each']}, depends if it is for some; and says from which {p['along']} on"
    ),
    {"column": str, "of": str, "against": str, "metric": str, "along": str, "each": str, "within": NUMBER},
)
