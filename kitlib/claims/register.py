"""The claims register `notebooks/claims.yaml`: loaded, checked to the last key, and judged by its rules."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from kitlib.claims import answers, choices, rows
from kitlib.claims.answers import Answer
from kitlib.claims.levels import MINE
from kitlib.claims.rules import NAMES, OWN_REASON, RULES, Types
from kitlib.claims.verdict import WORDS, Verdict, unmeasurable
from kitlib.errors import ClaimError, RegisterError, meant
from kitlib.host import textfile, yamlfile
from kitlib.host.stats import iqr, median
from kitlib.paths import ROOT

REGISTER = ROOT / "notebooks" / "claims.yaml"
SECTIONS = ("claims", "errata")  # errata refer to claims
MILD = "The threshold is the kit's own, so it cannot refute the claim."
OWN = "kit"  # the section of what the guide does not say, and the kit claims itself


@dataclass(frozen=True)
class Claim:
    """One statement of the guide, or of the kit itself, and the rule that judges it.

    section: of the guide, or OWN.  chapter: the notebook that measures it, without suffix.  unit: of `metric`.
    predictions: what a learner may choose from before the measurement.  answers: for each, when it is right, as answers.py says.
    instead: what is run in place of something that the guide names; "" where the guide's own things are run.
    """

    id: str
    section: str
    chapter: str
    title: str
    says: str
    metric: str
    unit: str
    rule: Mapping[str, Any] = field(hash=False)
    expected: str
    deterministic: bool
    predictions: tuple[str, ...] = ()
    instead: str = ""
    answers: Mapping[str, Answer] = field(default_factory=dict, hash=False)

    @property
    def rule_in_words(self) -> str:
        """When the claim holds, depends or is refuted: one sentence with the rule's thresholds."""
        return RULES[self.rule["kind"]].words(self.rule, self.unit)

    def verdict(self, runs: pd.DataFrame, *, environments: Mapping[str, Mapping[str, Any]] | None = None) -> Verdict:
        """Judge this claim's rows of a runs frame.  ClaimError says which rows are missing, and what makes them.

        Rows of a learner's own file are not judged.  Rows from several environments are judged together, under the newest stamp, and
        the reading says so.
        environments: by stamp; by default those of the claim's own file.
        """
        mine = _judged(runs[runs["claim"] == self.id])
        try:
            outcome = RULES[self.rule["kind"]].judge(mine, self.rule)
        except ClaimError as e:
            cell = f'run the cell of {self.chapter}.ipynb that calls kit.experiment(kit.claim("{self.id}"), ...)'
            raise ClaimError(f"{self.id}: {e.message}", hint=cell, observed=e.observed) from None
        newest = mine.iloc[-1]
        known = rows.environments(self.id) if environments is None else environments
        sample, places = outcome.sample, mine["stamp"].nunique()
        middle = median(sample) if len(sample) else None
        return Verdict(
            claim=self.id,
            verdict=outcome.verdict,
            n=outcome.n,
            median=middle,
            iqr=iqr(sample) if len(sample) else None,
            unit=outcome.unit,
            treatments=outcome.treatments,
            own=outcome.own,
            stamp=str(newest["stamp"]),
            profile=str(newest["profile"]),
            reading=f"{outcome.reading} {MILD}" if outcome.reason == OWN_REASON else outcome.reading,
            reason=outcome.reason,
            expected=self.expected,
            deterministic=self.deterministic,
            environment=known.get(str(newest["stamp"]), {}),
            says=self.says,
            conditions=outcome.conditions,
            remarks=self._remarks(outcome.own, places),
            predicted=answers.judge(choices.chosen(self.id), self.answers, outcome.conditions, middle),
        )

    def _remarks(self, own: tuple[str, ...], places: int) -> tuple[str, ...]:
        """What a reader of the figures has to know besides."""
        cannot = "which cannot refute the guide" if self.section != OWN else "which the guide does not give"
        return (
            *([f"The kit's own threshold, {cannot}: {', '.join(own)}."] if own else []),
            *([f"Run in place of what the guide names: {self.instead}"] if self.instead else []),
            *([f"The rows come from {places} environments."] if places > 1 else []),
        )

    def _lines(self) -> list[str]:
        own = self.section == OWN
        origin = "Not in the guide" if own else f"Section {self.section} of the guide"
        says = f"The {OWN if own else 'guide'} says: {self.says}"
        where = f"{origin}; measured in {self.chapter}.ipynb"
        rule = f"Rule: {self.rule_in_words}."
        if self.instead:
            rule += f" Run in place of what the guide names: {self.instead}"
        return [f"{self.id}: {self.title}", says, where, rule]

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        title, says, where, rule = (escape(line) for line in self._lines())
        return (
            '<div style="border-left:4px solid currentColor;padding:.3em 1em;max-width:48em">'
            f'<strong>{title}</strong><p style="margin:.4em 0">{says}</p>'
            f'<div style="font-size:.9em">{where}</div><div style="font-size:.9em">{rule}</div></div>'
        )


@dataclass(frozen=True)
class Erratum:
    """Something in the guide that is wrong or has aged; proved_by is the id of the claim whose run shows it."""

    id: str
    section: str
    says: str
    today: str
    proved_by: str | None

    @property
    def status(self) -> str:
        """Which claim shows the error, and whether that was measured here; or that no run has proved it yet."""
        if not self.proved_by:
            return "not yet proved by a run"
        return f"shown by {self.proved_by}{', which was not measured here' if rows.load(self.proved_by).empty else ''}"


def _judged(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows without those of a learner's own file."""
    return runs[~(runs[rows.treatment_columns(runs)] == MINE).any(axis=1)]


def claim(claim_id: str, path: Path = REGISTER) -> Claim:
    """The claim of that id; ClaimError names the ids that come close."""
    known = {c.id: c for c in register(path)}
    if claim_id in known:
        return known[claim_id]
    raise ClaimError(
        f"no claim is called {claim_id!r}", hint=meant(str(claim_id), known, "kit.verdicts() lists the claims")
    )


def register(path: Path = REGISTER) -> tuple[Claim, ...]:
    """All claims, in the order of the register.  Raises RegisterError, with file and line, when it is not one."""
    return _read(path)[0]


def errata(path: Path = REGISTER) -> tuple[Erratum, ...]:
    """All errata, in the order of the register."""
    return _read(path)[1]


def not_measurable(claim: Claim, reason: str) -> Verdict:
    """The verdict for a claim that this machine cannot measure, with the reason.  Reports and the table of verdicts show it afterwards."""
    rows.decline(claim.id, reason)
    return unmeasurable(claim, reason)


CLAIM: Types = {"id": str, "section": str, "chapter": str, "title": str, "says": str, "metric": str, "unit": str} | {
    "rule": dict,
    "expected": str,
    "deterministic": bool,
}
ITEMS: Types = {"checks": dict, "figures": dict}  # of lists; those of all others are text
INSIDE: Types = {"metric": str, "each": str, "except": str, "is": str, "of": str, "where": dict} | {
    "own": bool,
    "control": bool,
    "things": str,
    "met": str,
    "unmet": str,
    "label": str,
}
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # an id is the name of a file of results
ERRATUM: Types = {"id": str, "section": str, "says": str, "today": str, "proved_by": (str, type(None))}


def _read(path: Path) -> tuple[tuple[Claim, ...], tuple[Erratum, ...]]:
    claims: dict[str, Claim] = {}
    wrong: dict[str, Erratum] = {}
    chapters = {notebook.stem for notebook in path.parent.glob("*.ipynb")}
    try:
        for section, where, entry in yamlfile.entries(path, SECTIONS, error=RegisterError):
            taken: Mapping[str, Any] = claims if section == "claims" else wrong
            if entry["id"] in taken:
                raise RegisterError(f"{where}: the id {entry['id']!r} is taken")
            if section == "claims":
                claims[entry["id"]] = _claim(entry, where, chapters)
            else:
                wrong[entry["id"]] = _erratum(entry, where, claims)
    except RegisterError as e:
        raise RegisterError(e.message, hint=e.hint or textfile.restore(path)) from e.__cause__
    return tuple(claims.values()), tuple(wrong.values())


def _claim(entry: Mapping[str, Any], where: str, chapters: Collection[str]) -> Claim:
    _check(entry, CLAIM, {"predictions": dict, "instead": str}, where)
    if entry["expected"] not in WORDS:
        raise RegisterError(f"{where}: expected is {entry['expected']!r}", hint=f"one of {', '.join(WORDS)}")
    if chapters and entry["chapter"] not in chapters:
        close = difflib.get_close_matches(entry["chapter"], chapters, n=1, cutoff=0) or sorted(chapters)
        raise RegisterError(
            f"{where}: no notebook is called {entry['chapter']}.ipynb", hint=f"did you mean {close[0]}?"
        )
    _check_rule(entry["rule"], entry["unit"], f"{where}: rule")
    rule = MappingProxyType(entry["rule"])
    given = entry.get("predictions", {})
    for option, answer in given.items():
        if problem := answers.problem(option, answer):
            raise RegisterError(f"{where}: predictions: {problem}", hint=answers.FORMS)
    return Claim(**{**entry, "rule": rule, "predictions": tuple(given), "answers": MappingProxyType(given)})


def _check_rule(rule: Mapping[str, Any], unit: str, where: str) -> None:
    name = rule.get("kind", "")
    kind = RULES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise RegisterError(f"{where}: unknown kind {rule.get('kind')!r}", hint=f"one of {', '.join(RULES)}")
    _check(rule, {"kind": str, **kind.required}, {**NAMES, **kind.optional}, where)
    for name, words in rule.get("names", {}).items():
        _check_type(words, str, f"{where}: names: {name}")
    try:
        kind.check(rule)
        kind.words(rule, unit)  # reads every parameter, those inside of lists included
    except ClaimError as e:
        raise RegisterError(f"{where}: {e.message}") from None
    except (TypeError, ValueError, LookupError, AttributeError) as e:
        raise RegisterError(f"{where}: a part of it has a wrong type ({textfile.one_line(str(e))})") from e


def _erratum(entry: Mapping[str, Any], where: str, claims: Mapping[str, Claim]) -> Erratum:
    _check(entry, ERRATUM, {}, where)
    if entry["proved_by"] and entry["proved_by"] not in claims:
        raise RegisterError(f"{where}: proved_by names {entry['proved_by']!r}, which is not a claim")
    return Erratum(**entry)


def _check(entry: Mapping[str, Any], required: Types, optional: Types, where: str) -> None:
    """Every required key, no unknown key, every value of its type, no text that is empty, an id that can be a file's name."""
    if missing := sorted(required.keys() - entry.keys()):
        raise RegisterError(f"{where}: {missing[0]} is missing")
    allowed = {**required, **optional}
    for key, value in entry.items():
        if key not in allowed:
            raise RegisterError(f"{where}: unknown key {key!r}", hint=f"known are {', '.join(allowed)}")
        _check_type(value, allowed[key], f"{where}: {key}")
        for number, item in enumerate(value if isinstance(value, list) else ()):
            _check_item(item, ITEMS.get(key, str), f"{where}: {key}, item {number + 1}")
    if not ID.fullmatch(entry.get("id", "x")):
        raise RegisterError(
            f"{where}: the id {entry['id']!r} cannot be a file's name", hint="letters, digits, . _ and -"
        )


def _check_item(item: Any, wanted: type | tuple[type, ...], where: str) -> None:
    _check_type(item, wanted, where)
    for key in INSIDE.keys() & item.keys() if isinstance(item, dict) else ():
        _check_type(item[key], INSIDE[key], f"{where}: {key}")


def _check_type(value: Any, wanted: type | tuple[type, ...], what: str) -> None:
    yamlfile.check_type(value, wanted, what, error=RegisterError)
    if value in ("", [], {}) or (isinstance(value, float) and not math.isfinite(value)):
        raise RegisterError(f"{what} is {value if value else 'empty'}")
