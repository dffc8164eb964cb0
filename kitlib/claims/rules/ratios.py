"""The rule on how many times as much one treatment takes as another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kitlib.claims.rules.base import (
    NUMBER,
    OWN_REASON,
    Outcome,
    Params,
    Rule,
    marked,
    median_text,
    mildest,
    named,
    rows,
    samples,
)
from kitlib.claims.rules.sentence import sentence
from kitlib.claims.verdict import Condition, Word
from kitlib.errors import ClaimError
from kitlib.host.stats import Values, interval, median, quantity

SMALL = 0.5  # a ratio below it is written in percent


def _ratio(runs: pd.DataFrame, p: Params) -> Outcome:
    """`metric` of treatment `of` over that of treatment `to`, repeat by repeat; the bootstrap interval of the median decides."""
    found = _ratios(runs, p)
    low, high = interval(found) or (median(found), median(found))
    bound = p["at_most"]
    word: Word = "holds" if high <= bound else "refuted" if low > bound else "depends"
    share = median(found) < SMALL  # then all of it is in percent
    spread = f"95 % interval {_share(low, share)} to {_share(high, share)}" if len(found) > 1 else ""
    ends = " against ".join(median_text(runs, p["metric"], {p["column"]: p[end]}) for end in ("of", "to"))
    told = f"{named(p, p['metric'])} of {named(p, p['of'])} was {_times(median(found))} that of {named(p, p['to'])}"
    reading = sentence(f"the {told}: {ends}{f' ({spread})' if spread else ''}")
    reason = f"not resolved at n = {len(found)}: the interval includes {bound:g}" if word == "depends" else ""
    if reason:
        reading += f" The interval includes {_share(bound, share)}, so that more repeats are needed."
    own = (f"at most {bound:g} times",) if p.get("own") else ()
    measured = rows(runs, p["metric"], {})
    return Outcome(
        verdict=mildest(word, own=bool(own)),
        reading=reading,
        unit=f"× {p['to']}",
        sample=found,
        n=len(found),
        reason=OWN_REASON if own and word == "refuted" else reason,
        treatments=samples(measured[measured[p["column"]].isin([p["of"], p["to"]])], [p["column"]]),
        own=own,
        conditions=(Condition("ratio", None if reason else word == "holds", ends, f"at most {bound:g} times"),),
    )


def _times(ratio: float) -> str:
    """A ratio in words: '6.18 times', and '3.8 % of' where it is small."""
    return f"{quantity(100 * ratio, '%')} of" if ratio < SMALL else f"{quantity(ratio, '')} times"


def _share(ratio: float, percent: bool) -> str:
    return quantity(100 * ratio, "%") if percent else quantity(ratio, "")


def _ratios(runs: pd.DataFrame, p: Params) -> Values:
    of, to = (rows(runs, p["metric"], {p["column"]: p[end]}).set_index("repeat")["value"] for end in ("of", "to"))
    if set(of.index) != set(to.index) or not (of.index.is_unique and to.index.is_unique):
        raise ClaimError(f"the repeats of {p['of']} and {p['to']} do not pair up for {p['metric']}")
    if not (to > 0).all():
        raise ClaimError(f"{p['metric']} of {p['to']} is not above zero in every repeat: there is no ratio to it")
    return np.asarray((of / to).to_numpy(dtype=float))


RATIO = Rule(
    _ratio,
    lambda p, _: (
        f"holds if {p['of']} takes at most {p['at_most']:g} times{marked(p)} the {p['metric']} of {p['to']}, "
        "depends if the 95 % interval includes the bound"
    ),
    {"column": str, "metric": str, "of": str, "to": str, "at_most": NUMBER},
    {"own": bool},
)
