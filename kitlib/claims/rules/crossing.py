"""The rule that finds from which level on one way is as good as another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from kitlib.claims.rules.base import (
    NUMBER,
    OWN_REASON,
    Outcome,
    Params,
    Rule,
    all_some_none,
    levels,
    marked,
    named,
    ordered,
    percent,
    rows,
    samples,
)
from kitlib.claims.rules.sentence import listed, sentence
from kitlib.claims.verdict import Condition
from kitlib.host.stats import quantity


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
    """The ratios of the medians of `metric`, of one way to the way `against`: one series per level of `each`, in order."""
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
    """At every level of both treatments, at some, at none; one sample is one way at one level of each treatment."""
    found = series(runs, p, p["of"])
    share = 1 - p["within"]
    reached = [ratio >= share for one in found for ratio in one.ratios]
    n = len(rows(runs, p["metric"], {p["column"]: p["of"]}))
    word = all_some_none(reached, own=bool(p.get("own")))
    reading = _reading(found, p, share)
    ratios = [100 * ratio for one in found for ratio in one.ratios]
    reason = "" if word != "depends" else f"on {p['along']} and {p['each']}" if any(reached) else OWN_REASON
    measured = rows(runs, p["metric"], {})
    compared = measured[measured[p["column"]].isin([p["of"], p["against"]])]
    return Outcome(
        verdict=word,
        reading=reading,
        unit=f"% of {p['against']}",
        sample=ratios if len(ratios) == 1 else [],
        n=n,
        reason=reason,
        treatments=samples(compared, [p["column"], p["each"], p["along"]]),
        own=(f"within {percent(p['within'])}",) if p.get("own") else (),
        conditions=tuple(_conditions(found, p, share)),
    )


def _reading(found: list[Series], p: Params, share: float) -> str:
    """From where on the one way is as good as the other, for each level; and where it nowhere is."""
    along, each = named(p, p["along"]), named(p, p["each"])
    crossings = [(one, x) for one in found if (x := one.crossing(share)) is not None]
    reached = [
        f"from {x:g}{f' {along}' if not i else ''} on ({each}: {one.level})" for i, (one, x) in enumerate(crossings)
    ]
    never = [f"{each}: {one.level}" for one in found if one.crossing(share) is None]
    said = f"{named(p, p['of'])} came within {percent(p['within'])} of {named(p, p['against'])}"
    where = f"{said} {listed(reached)}" if reached else f"{said} nowhere"
    first, last = (quantity(100 * min(one.ratios[end] for one in found), "%") for end in (0, -1))
    rest = f"; nowhere with {listed(never)}" if reached and never else ""
    ends = f"at worst, it had {first} of the other's {named(p, p['metric'])} at the beginning, and {last} at the end"
    return f"{sentence(where + rest)} {sentence(ends)}"


def _conditions(found: list[Series], p: Params, share: float) -> Iterator[Condition]:
    """One for each level of both treatments."""
    for one in found:
        for x, ratio in zip(one.xs, one.ratios, strict=True):
            name = f"{p['each']} {one.level}, {p['along']} {x:g}"
            yield Condition(name, ratio >= share, percent(ratio), f"at least {percent(share)}")


CROSSOVER = Rule(
    _crossover,
    lambda p, _: (
        f"holds if the {p['metric']} of {p['of']} is within {percent(p['within'])}{marked(p)} of that of {p['against']} or above it "
        f"for every {p['along']} and {p['each']}, depends if it is for some; and says from which {p['along']} on"
    ),
    {"column": str, "of": str, "against": str, "metric": str, "along": str, "each": str, "within": NUMBER},
    {"own": bool},
)
