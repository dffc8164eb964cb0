"""The rule that sets a measured mean against what a formula predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kitlib.claims.rules.base import (
    NUMBER,
    OWN_REASON,
    Outcome,
    Params,
    Rule,
    levels,
    marked,
    mildest,
    named,
    percent,
    rows,
    samples,
    split,
)
from kitlib.claims.rules.sentence import listed, quoted, sentence
from kitlib.claims.verdict import Condition, Word
from kitlib.host.stats import Values, interval, quantity


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
        """The mean of the trials, in the metric's unit."""
        return float(np.mean(self.values))

    @property
    def off(self) -> float:
        """Relative deviation of the mean from the prediction; infinite where only the prediction is zero."""
        if self.predicted == 0:
            return 0.0 if self.mean == 0 else float("inf")
        return self.mean / self.predicted - 1

    def within(self, share: float) -> bool | None:
        """Whether the mean is within this share of the prediction; None where its interval includes a bound."""
        least, most = self.predicted * (1 - share), self.predicted * (1 + share)
        if least <= self.low and self.high <= most:
            return True
        return False if self.high < least or self.low > most else None


def pairs(runs: pd.DataFrame, p: Params) -> list[Pair]:
    """Measured against predicted: one pair per level of the treatment, the smallest prediction first."""
    found = (_pair(runs, p, level) for level in levels(runs, p["column"], [p["metric"]]))
    return sorted(found, key=lambda pair: pair.predicted)


def _pair(runs: pd.DataFrame, p: Params, level: str) -> Pair:
    values = rows(runs, p["metric"], {p["column"]: level})["value"].to_numpy(float)
    predicted = float(rows(runs, p["predicted"], {p["column"]: level})["value"].mean())
    low, high = interval(values, np.mean) or (values[0], values[0])
    return Pair(str(level), values, predicted, low, high)


def _agreement(runs: pd.DataFrame, p: Params) -> Outcome:
    """The interval of each level's mean within a share of the prediction, or outside; or it includes the bound.

    The sample is every trial as a percentage of its prediction, where there is one level.
    """
    measured = rows(runs, p["metric"], {})
    unit = measured["unit"].iloc[0]
    found = pairs(runs, p)
    within = {pair.level: pair.within(p["within"]) for pair in found}
    word = _word(list(within.values()))
    alone = found[0] if len(found) == 1 and found[0].predicted else None
    shares = [100 * v / alone.predicted for v in alone.values] if alone else []
    own = (f"within {percent(p['within'])}",) if p.get("own") else ()
    return Outcome(
        verdict=mildest(word, own=bool(own)),
        reading=_reading(found, within, p, unit),
        unit="% of predicted",
        sample=shares,
        n=sum(len(pair.values) for pair in found),
        reason=OWN_REASON if own and word == "refuted" else _reason(within),
        treatments=samples(measured, [p["column"]]),
        own=own,
        conditions=tuple(_condition(pair, within[pair.level], p, unit) for pair in found),
    )


def _reading(found: list[Pair], within: Mapping[str, bool | None], p: Params, unit: str) -> str:
    """For how many levels the mean agrees with the formula, the one that is furthest off, and those that are not resolved."""
    things, share = p.get("things", f"levels of {p['column']}"), percent(p["within"])
    good = [quoted(named(p, pair.level)) for pair in found if within[pair.level]]
    all_ = f"for {'both' if len(found) == 2 else f'all {len(found)}'} {things}"
    which = f"for {len(good)} of {len(found)} {things}"
    scope = (
        f"for {quoted(named(p, found[0].level))}"
        if len(found) == 1
        else all_
        if len(good) in (0, len(found))
        else which
    )
    names = f": {listed(good)}" if 0 < len(good) < len(found) else ""
    unresolved = [quoted(named(p, pair.level)) for pair in found if within[pair.level] is None]
    no = "" if good else "not shown to be " if unresolved else "not "
    worst = max(found, key=lambda pair: abs(pair.off))
    off = f"{signed(worst.off)} ({named(p, worst.level)}: {quantity(worst.mean, unit)} instead of {quantity(worst.predicted, unit)})"
    parts = [f"{scope}, the mean was {no}within {share} of the formula{names}"]
    parts += [f"the {'largest ' if len(found) > 1 else ''}difference was {off}"]
    parts += (
        [f"more repeats are needed for {listed(unresolved)}, as the 95 % interval includes the bound"]
        if unresolved
        else []
    )
    return " ".join(map(sentence, parts))


def signed(share: float) -> str:
    """A deviation in percent, with its sign."""
    return f"{'+' if share >= 0 else '-'}{quantity(abs(100 * share), '%')}"


def _condition(pair: Pair, met: bool | None, p: Params, unit: str) -> Condition:
    """Mean, interval and prediction of one level, for a reader who wants all figures."""
    low, high = quantity(pair.low, unit), quantity(pair.high, unit)
    told = f"mean {quantity(pair.mean, unit)}, 95 % {low} to {high}, n = {len(pair.values)}"
    return Condition(pair.level, met, told, f"{quantity(pair.predicted, unit)}, within {percent(p['within'])}")


def _word(within: list[bool | None]) -> Word:
    if all(within):
        return "holds"
    return "refuted" if all(one is False for one in within) else "depends"


def _reason(within: Mapping[str, bool | None]) -> str:
    """Which levels are within the bound or outside it, and of which the interval includes it."""
    resolved = {level: one for level, one in within.items() if one is not None}
    parts = [split("within the bound", "outside it", resolved)] if resolved else []
    if resolved and not parts[0] and len(resolved) < len(within):
        parts = [f"{'within the bound' if all(resolved.values()) else 'outside it'}: {', '.join(resolved)}"]
    if open_ := [level for level, one in within.items() if one is None]:
        parts.append(f"not resolved, as the interval includes the bound: {', '.join(open_)}")
    return "; ".join(filter(None, parts))


AGREEMENT = Rule(
    _agreement,
    lambda p, _: (
        f"holds if the 95 % interval of the mean of {p['metric']} is within {percent(p['within'])}{marked(p)} "
        f"of {p['predicted']} for every {p['column']}, depends if it is for some, or if it includes a bound"
    ),
    {"column": str, "metric": str, "predicted": str, "within": NUMBER},
    {"own": bool, "things": str},
)
