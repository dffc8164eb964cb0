"""Rules that a measurement meets or does not: one value in every run, and lists of conditions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from kitlib.errors import ClaimError
from kitlib.rules.base import (
    NUMBER,
    Outcome,
    Params,
    Rule,
    all_some_none,
    levels,
    median_text,
    number,
    ordered,
    rows,
    split,
)
from kitlib.stats import quantity
from kitlib.verdict import Word

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
WORDS = {"==": "", "<=": "at most ", ">=": "at least ", "<": "below ", ">": "above "}


def _equals(runs: pd.DataFrame, p: Params) -> Outcome:
    """Every repeat of one treatment has one value; the other treatments are there to compare."""
    found = rows(runs, p["metric"], p["where"])
    values = found["value"].to_numpy(float)
    hits = int((values == p["value"]).sum())
    column, level = next(iter(p["where"].items()))
    others = [other for other in levels(runs, column, [p["metric"]]) if other != level]
    shown = "; ".join(f"{other} {median_text(runs, p['metric'], {column: other})}" for other in others)
    compared = f" (to compare, {shown})" if shown else ""
    reading = f"{p['metric']} was {p['value']:g} in {hits} of {len(values)} runs of {level}{compared}."
    word: Word = "holds" if hits == len(values) else "depends" if hits else "refuted"
    reason = f"it differs from run to run of {level}" if word == "depends" else ""
    return Outcome(word, reading, found["unit"].iloc[0], values, len(values), reason)


def _checks(runs: pd.DataFrame, p: Params) -> Outcome:
    """Each condition on its own; the sample is the headline metric's."""
    passes: dict[str, bool] = {}
    parts = []
    checks = list(_expanded(runs, p["checks"]))
    for name, (check, where) in zip(_named(checks), checks, strict=True):
        values = rows(runs, check["metric"], where)["value"]
        met = COMPARE[check["is"]](values, check["value"])
        passes[name] = bool(met.any() if check.get("of") == "some" else met.all())
        often = "" if met.all() or not met.any() else f" ({int(met.sum())} of {len(met)} runs as asked)"
        parts.append(f"{name} {median_text(runs, check['metric'], where)}{often} {'✓' if passes[name] else '✗'}")
    headline = rows(runs, p["headline"], {})
    reading = f"{sum(passes.values())} of {len(passes)} conditions are met: {'; '.join(parts)}."
    sample = headline["value"].to_numpy(float)
    unit = headline["unit"].iloc[0]
    return Outcome(
        all_some_none(passes.values()), reading, unit, sample, len(sample), split("met by", "not met by", passes)
    )


def _expanded(runs: pd.DataFrame, checks: list[Params]) -> Iterator[tuple[Params, dict[str, Any]]]:
    """A check `each` of a column is one a level of it, of those that fit its `where`."""
    for check in checks:
        where = dict(check.get("where", {}))
        if "each" not in check:
            yield check, where
            continue
        fitting = rows(runs, check["metric"], where)
        for level in ordered(levels(fitting, check["each"], [check["metric"]])):
            yield check, {**where, check["each"]: level}


def _named(checks: list[tuple[Params, dict[str, Any]]]) -> list[str]:
    """What to call each check: its level, with the metric where several look at one level."""
    levels = [" · ".join(map(str, where.values())) for _, where in checks]
    return [
        check["metric"] if not level else level if levels.count(level) == 1 else f"{check['metric']} ({level})"
        for (check, _), level in zip(checks, levels, strict=True)
    ]


def _words(p: Params, _: str) -> str:
    return "holds if all of this is so, depends if some is: " + "; ".join(map(_in_words, p["checks"]))


def _in_words(check: Params) -> str:
    scope = [f"{column} {level}" for column, level in check.get("where", {}).items()]
    scope += [f"each {check['each']}"] if "each" in check else []
    often = "at least one run" if check.get("of") == "some" else "every run"
    of = f" of {' and '.join(scope)}" if scope else ""
    return f"{check['metric']} is {WORDS[check['is']]}{quantity(check['value'], '')} in {often}{of}"


def _check_checks(p: Params) -> None:
    known = {"metric", "is", "value", "where", "each", "of"}
    for check in p["checks"]:
        if not {"metric", "is", "value"} <= check.keys() <= known:
            raise ClaimError(f"the check {dict(check)} needs metric, is and value, and may have where, each and of")
        if check["is"] not in COMPARE or check.get("of", "every") not in ("every", "some"):
            raise ClaimError(f"the check of {check['metric']}: is one of {' '.join(COMPARE)}; of is every or some")
        number(check["value"], f"the value of the check of {check['metric']}")


EQUALS = Rule(
    _equals,
    lambda p, _: (
        f"holds if {p['metric']} is {p['value']:g} in every run with "
        + ", ".join(f"{column} {level}" for column, level in p["where"].items())
    ),
    {"metric": str, "where": dict, "value": NUMBER},
)
CHECKS = Rule(_checks, _words, {"headline": str, "checks": list}, {}, _check_checks)
