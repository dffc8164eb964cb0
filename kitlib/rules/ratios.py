"""The rule on how many times as much one treatment takes as another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kitlib.errors import ClaimError
from kitlib.rules.base import NUMBER, Outcome, Params, Rule, median_text, rows
from kitlib.stats import Values, interval, median, quantity
from kitlib.verdict import Word


def _ratio(runs: pd.DataFrame, p: Params) -> Outcome:
    """`metric` of treatment `of` over that of treatment `to`, repeat by repeat; the bootstrap interval of the median decides."""
    found = _ratios(runs, p)
    low, high = interval(found) or (median(found), median(found))
    bound = p["at_most"]
    word: Word = "holds" if high <= bound else "refuted" if low > bound else "depends"
    spread = f" (95 % {quantity(low, '')} to {quantity(high, '')})" if len(found) > 1 else ""
    ends = " against ".join(median_text(runs, p["metric"], {p["column"]: p[end]}) for end in ("of", "to"))
    reading = f"{p['of']} takes {quantity(median(found), '')}{spread} times the {p['metric']} of {p['to']}: {ends}."
    reason = f"not resolved at n = {len(found)}: the interval includes {bound:g}" if word == "depends" else ""
    return Outcome(word, reading, f"× {p['to']}", found, len(found), reason)


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
        f"holds if {p['of']} takes at most {p['at_most']:g} times the {p['metric']} of {p['to']}, "
        "depends if the 95 % interval includes the bound"
    ),
    {"column": str, "metric": str, "of": str, "to": str, "at_most": NUMBER},
)
