"""Rules that a measurement meets or does not: one value in every run, and lists of conditions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kitlib.claims.rules.base import (
    NUMBER,
    OWN_REASON,
    Outcome,
    Params,
    Rule,
    all_some_none,
    level_name,
    levels,
    marked,
    median_of,
    median_text,
    named,
    number,
    ordered,
    present,
    rows,
    samples,
    split,
    unit_of,
)
from kitlib.claims.rules.sentence import Thing, clauses, listed, outcome_of, quoted, sentence
from kitlib.claims.verdict import Condition, Word
from kitlib.errors import ClaimError
from kitlib.host.stats import YES_NO, median, quantity

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
SAID = ("things", "met", "unmet", "label")  # the words of a condition in a sentence
WORDS = {"==": "", "<=": "at most ", ">=": "at least ", "<": "below ", ">": "above "}


def _equals(runs: pd.DataFrame, p: Params) -> Outcome:
    """Every repeat of one treatment has the same value; the other treatments are for comparison."""
    found = rows(runs, p["metric"], p["where"])
    values = found["value"].to_numpy(float)
    hits = int((values == p["value"]).sum())
    column, level = next(iter(p["where"].items()))
    word: Word = "holds" if hits == len(values) else "depends" if hits else "refuted"
    each = samples(rows(runs, p["metric"], {}), p["where"])
    asked, told = f"{quantity(p['value'], unit_of(found))} in every run", f"as asked in {hits} of {len(values)} runs"
    return Outcome(
        verdict=word,
        reading=sentence(f"{_often(hits, len(values), level, p)}{_compared(runs, p, column, level)}"),
        unit=unit_of(found),
        sample=[] if unit_of(found) == YES_NO else values,
        n=len(values),
        reason=f"it differs from run to run of {level}" if word == "depends" else "",
        treatments=each,
        conditions=(Condition(str(level), None if word == "depends" else word == "holds", told, asked),),
    )


def _often(hits: int, runs: int, level: object, p: Params) -> str:
    """What the treatment did, and in how many of its runs."""
    subject = p.get("subject") or _called(p, {"": level})
    met, unmet = p.get("met", f"had {p['metric']} {p['value']:g}"), p.get("unmet", f"had another {p['metric']}")
    said, count = (met, hits) if hits else (unmet, runs)
    every = f"in all {runs} runs" if hits else f"in any of {runs} runs"
    often = ("in its one run" if runs == 1 else every) if count == runs else f"in {hits} of {runs} runs"
    return f"{subject} {said} {often}"


def _compared(runs: pd.DataFrame, p: Params, column: str, level: object) -> str:
    """The medians of the other treatments, in brackets."""
    others = [other for other in levels(runs, column, [p["metric"]]) if other != level]
    shown = (f"{_called(p, {column: o})}: {median_text(runs, p['metric'], {column: o})}" for o in others)
    return f" (to compare, {'; '.join(shown)})" if others else ""


@dataclass(frozen=True)
class _Looked:
    """One condition as it was looked at.  each: whether it is one level of many; thing: how it stands in a sentence."""

    check: Params
    condition: Condition
    thing: Thing
    each: bool


def _checks(runs: pd.DataFrame, p: Params) -> Outcome:
    """Each condition on its own; n, median and IQR are the headline metric's, of each treatment that the conditions name.

    A control is no condition: it does not count for or against the claim.  Where it fails, the conditions show nothing.
    """
    checks = list(_expanded(runs, p["checks"]))
    looked = [_look(runs, p, *one, name) for one, name in zip(checks, _named(checks), strict=True)]
    passes, controls = (
        {one.condition.name: bool(one.condition.met) for one in looked if one.condition.control is control}
        for control in (False, True)
    )
    headline = rows(runs, p["headline"], {})
    each = samples(headline, [column for _, where in checks for column in where])
    word, reason = _judged(passes, controls, own=all(c.get("own") for c in p["checks"] if not c.get("control")))
    alone = len(each) == 1 and unit_of(headline) != YES_NO
    return Outcome(
        verdict=word,
        reading=_reading(looked, p, decided=all(controls.values())),
        unit=unit_of(headline),
        sample=headline["value"].to_numpy(float) if alone else [],
        n=len(headline),
        reason=reason,
        treatments=each,
        own=tuple(dict.fromkeys(f"{named(p, c['metric'])} {_threshold(c)}" for c in p["checks"] if c.get("own"))),
        conditions=tuple(one.condition for one in looked),
    )


def _look(runs: pd.DataFrame, p: Params, check: Params, where: Mapping[str, Any], name: str) -> _Looked:
    """Whether the rows meet the check, in every run or in some, and what was measured."""
    found = rows(runs, check["metric"], where)
    met = COMPARE[check["is"]](found["value"], check["value"])
    passed = bool(met.any() if check.get("of") == "some" else met.all())
    often = "" if met.all() or not met.any() else f", as asked in {int(met.sum())} of {len(met)} runs"
    value, unit = median_of(found), unit_of(found)
    asked = f"{WORDS[check['is']]}{quantity(check['value'], unit)}"
    condition = Condition(name, passed, f"{value}{often}", asked, control=bool(check.get("control")))
    label = f" {check['label']}" if "label" in check else ""
    bare = unit in (YES_NO, "count", "") and not label  # a number alone says nothing
    told = often.removeprefix(", ") if bare else f"{value}{label}{often}"
    off = abs(median(found["value"].to_numpy(float)) - check["value"])
    return _Looked(check, condition, Thing(_called(p, where) or name, passed, told, off), "each" in check)


def _called(p: Params, where: Mapping[str, Any]) -> str:
    """What a sentence calls these levels: by the rule's names, else quoted as they are."""
    names = [level_name(level) for level in where.values()]
    plain = all(name in p.get("names", {}) for name in names)
    called = " · ".join(named(p, name) for name in names)
    return called if plain else quoted(called)


def _reading(looked: list[_Looked], p: Params, *, decided: bool) -> str:
    """A sentence for each group of conditions that are of one kind; where a control failed, that alone."""
    if not decided:
        failed = [_clause(one) for one in looked if one.condition.control and not one.condition.met]
        return f"{sentence('the control failed: ' + listed(failed))} So the conditions show nothing."
    asked = [one for one in looked if not one.condition.control]
    groups: dict[tuple[str, ...], list[_Looked]] = {}
    for one in asked:
        groups.setdefault(_said(one), []).append(one)
    return " ".join(sentence(_group(words, group, p)) for words, group in groups.items())


def _said(one: _Looked) -> tuple[str, ...]:
    """The words of a condition on many levels: of what, met, not met; () of a single condition."""
    if not one.each:
        return ()
    metric, threshold = one.check["metric"], _threshold(one.check)
    met = one.check.get("met", f"had {metric} {threshold}")
    return (
        one.check.get("things", f"levels of {one.check['each']}"),
        met,
        one.check.get("unmet", f"did not have {metric} {threshold}"),
    )


def _group(words: tuple[str, ...], group: list[_Looked], p: Params) -> str:
    if words:
        return outcome_of([one.thing for one in group], *words)
    met, unmet = ([_clause(one) for one in group if one.condition.met is wanted] for wanted in (True, False))
    return clauses(met, unmet, p.get("subject", ""))


def _clause(one: _Looked) -> str:
    """What was so of a single condition, as the register says it; {value} is what was measured."""
    words = one.check.get("met" if one.condition.met else "unmet")
    if words:
        return str(words).replace("{value}", one.condition.told)
    return f"{one.condition.name} was {one.condition.told} (asked: {one.condition.asked})"


def _judged(passes: Mapping[str, bool], controls: Mapping[str, bool], *, own: bool) -> tuple[Word, str]:
    """own: whether all conditions are by thresholds of the kit's own."""
    if failed := [name for name, ok in controls.items() if not ok]:
        return "depends", f"the control failed, so that the conditions show nothing: {', '.join(failed)}"
    word = all_some_none(passes.values(), own=own)
    return word, split("met by", "not met by", passes) or (OWN_REASON if word == "depends" else "")


def _expanded(runs: pd.DataFrame, checks: list[Params]) -> Iterator[tuple[Params, dict[str, Any]]]:
    """A check `each` of a column is one for each level of it that fits its `where`, but for the level `except`."""
    for check in checks:
        where = dict(check.get("where", {}))
        if "each" not in check:
            yield check, where
            continue
        fitting = rows(runs, check["metric"], where)
        found = [one for one in levels(fitting, check["each"], [check["metric"]]) if one != check.get("except")]
        if not found:
            raise ClaimError(f"no rows of metric {check['metric']!r} for any {check['each']}", observed=present(runs))
        for level in ordered(found):
            yield check, {**where, check["each"]: level}


def _named(checks: list[tuple[Params, dict[str, Any]]]) -> list[str]:
    """The name of each check: its level, with the metric where several checks look at one level."""
    levels = [" · ".join(map(str, where.values())) for _, where in checks]
    return [
        check["metric"] if not level else level if levels.count(level) == 1 else f"{check['metric']} ({level})"
        for (check, _), level in zip(checks, levels, strict=True)
    ]


def _words(p: Params, _: str) -> str:
    conditions, controls = (
        [c for c in p["checks"] if bool(c.get("control")) is is_control] for is_control in (False, True)
    )
    also = f"; as a control, {'; '.join(map(_in_words, controls))}" if controls else ""
    return f"holds if all of this is so, depends if some is: {'; '.join(map(_in_words, conditions))}{also}"


def _in_words(check: Params) -> str:
    scope = [f"{column} {level}" for column, level in check.get("where", {}).items()]
    scope += [f"each {check['each']}"] if "each" in check else []
    scope[-1:] = [f"{scope[-1]} but {check['except']}"] if "except" in check else scope[-1:]
    often = "at least one run" if check.get("of") == "some" else "every run"
    of = f" of {' and '.join(scope)}" if scope else ""
    return f"{check['metric']} is {_threshold(check)}{marked(check)} in {often}{of}"


def _threshold(check: Params) -> str:
    return f"{WORDS[check['is']]}{quantity(check['value'], '')}"


def _check_checks(p: Params) -> None:
    known = {"metric", "is", "value", "where", "each", "except", "of", "own", "control", *SAID}
    for check in p["checks"]:
        if not {"metric", "is", "value"} <= check.keys() <= known:
            optional = ", ".join(sorted(known - {"metric", "is", "value"}))
            raise ClaimError(f"the check {dict(check)} needs metric, is and value, and may have {optional}")
        if "except" in check and "each" not in check:
            raise ClaimError(f"the check of {check['metric']} has except without each")
        if check["is"] not in COMPARE or check.get("of", "every") not in ("every", "some"):
            raise ClaimError(f"the check of {check['metric']}: is one of {' '.join(COMPARE)}; of is every or some")
        number(check["value"], f"the value of the check of {check['metric']}")
    if all(check.get("control") for check in p["checks"]):
        raise ClaimError("every check is a control: nothing is judged")


EQUALS = Rule(
    _equals,
    lambda p, _: (
        f"holds if {p['metric']} is {p['value']:g} in every run with "
        + ", ".join(f"{column} {level}" for column, level in p["where"].items())
    ),
    {"metric": str, "where": dict, "value": NUMBER},
    {"subject": str, "met": str, "unmet": str},
)
CHECKS = Rule(_checks, _words, {"headline": str, "checks": list}, {"subject": str}, _check_checks)
