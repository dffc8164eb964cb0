"""The claims register `notebooks/claims.yaml`: loaded, checked to the last key, and judged by its rules."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import yaml

from kitlib.errors import ClaimError
from kitlib.experiments import environments
from kitlib.paths import ROOT
from kitlib.rules import RULES, Types
from kitlib.stats import iqr, median
from kitlib.verdict import WORDS, Verdict

REGISTER = ROOT / "notebooks" / "claims.yaml"
OWN = "kit"  # the section of what the guide does not say, and the kit claims itself


@dataclass(frozen=True)
class Claim:
    """One statement of the guide, or of the kit itself, and the rule that judges it.

    section: of the guide, or OWN.  chapter: the notebook that measures it, without suffix.  unit: of `metric`.
    predictions: what a learner may choose from before the measurement.
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

    @property
    def rule_in_words(self) -> str:
        return RULES[self.rule["kind"]].words(self.rule, self.unit)

    def verdict(self, runs: pd.DataFrame) -> Verdict:
        """Judge this claim's rows of a runs frame.  ClaimError says which rows are missing, and what makes them.

        Rows from several environments are judged together, under the newest stamp, and the reading says so.
        """
        mine = runs[runs["claim"] == self.id]
        try:
            outcome = RULES[self.rule["kind"]].judge(mine, self.rule)
        except ClaimError as e:
            cell = f'run the cell of {self.chapter}.ipynb that calls kit.experiment(kit.claim("{self.id}"), ...)'
            raise ClaimError(f"{self.id}: {e.message}", hint=cell, observed=e.observed) from None
        newest = mine.iloc[-1]
        sample, places = outcome.sample, mine["stamp"].nunique()
        return Verdict(
            claim=self.id,
            verdict=outcome.verdict,
            n=outcome.n,
            median=median(sample) if len(sample) else None,
            iqr=iqr(sample) if len(sample) else None,
            unit=outcome.unit,
            stamp=str(newest["stamp"]),
            profile=str(newest["profile"]),
            reading=outcome.reading + (f" The rows come from {places} environments." if places > 1 else ""),
            reason=outcome.reason,
            expected=self.expected,
            deterministic=self.deterministic,
            environment=environments(self.id).get(str(newest["stamp"]), {}),
        )

    def _lines(self) -> list[str]:
        own = self.section == OWN
        origin = "Not in the guide" if own else f"Section {self.section} of the guide"
        says = f"The {OWN if own else 'guide'} says: {self.says}"
        where = f"{origin}; measured in {self.chapter}.ipynb"
        return [f"{self.id}: {self.title}", says, where, f"Rule: {self.rule_in_words}."]

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
        return f"shown by {self.proved_by}" if self.proved_by else "not yet proved by a run"


def claim(claim_id: str, path: Path = REGISTER) -> Claim:
    """The claim of that id; ClaimError names the ids that come close."""
    known = {c.id: c for c in register(path)}
    if claim_id in known:
        return known[claim_id]
    close = difflib.get_close_matches(claim_id, known, n=3, cutoff=0.4) or list(known)
    raise ClaimError(f"no claim is called {claim_id!r}", hint=f"did you mean {' or '.join(close)}?")


def register(path: Path = REGISTER) -> tuple[Claim, ...]:
    """All claims, in the order of the register."""
    return _read(path)[0]


def errata(path: Path = REGISTER) -> tuple[Erratum, ...]:
    """All errata, in the order of the register."""
    return _read(path)[1]


CLAIM: Types = {"id": str, "section": str, "chapter": str, "title": str, "says": str, "metric": str, "unit": str} | {
    "rule": dict,
    "expected": str,
    "deterministic": bool,
}
ERRATUM: Types = {"id": str, "section": str, "says": str, "today": str, "proved_by": (str, type(None))}


def _read(path: Path) -> tuple[tuple[Claim, ...], tuple[Erratum, ...]]:
    claims: dict[str, Claim] = {}
    wrong: dict[str, Erratum] = {}
    for section, where, entry in _entries(path):
        taken: Mapping[str, Any] = claims if section == "claims" else wrong
        if entry.get("id") in taken:
            raise ClaimError(f"{where}: the id {entry['id']!r} is taken")
        if section == "claims":
            claims[entry["id"]] = _claim(entry, where)
        else:
            wrong[entry["id"]] = _erratum(entry, where, claims)
    return tuple(claims.values()), tuple(wrong.values())


def _claim(entry: Mapping[str, Any], where: str) -> Claim:
    _check(entry, CLAIM, {"predictions": list}, where)
    if entry["expected"] not in WORDS:
        raise ClaimError(f"{where}: expected is {entry['expected']!r}", hint=f"one of {', '.join(WORDS)}")
    _check_rule(entry["rule"], f"{where}: rule")
    rule = MappingProxyType(entry["rule"])
    return Claim(**{**entry, "rule": rule, "predictions": tuple(entry.get("predictions", ()))})


def _check_rule(rule: Mapping[str, Any], where: str) -> None:
    kind = RULES.get(rule.get("kind", ""))
    if kind is None:
        raise ClaimError(f"{where}: unknown kind {rule.get('kind')!r}", hint=f"one of {', '.join(RULES)}")
    _check(rule, {"kind": str, **kind.required}, kind.optional, where)
    try:
        kind.check(rule)
    except ClaimError as e:
        raise ClaimError(f"{where}: {e.message}") from None


def _erratum(entry: Mapping[str, Any], where: str, claims: Mapping[str, Claim]) -> Erratum:
    _check(entry, ERRATUM, {}, where)
    if entry["proved_by"] and entry["proved_by"] not in claims:
        raise ClaimError(f"{where}: proved_by names {entry['proved_by']!r}, which is not a claim")
    return Erratum(**entry)


def _check(entry: Mapping[str, Any], required: Types, optional: Types, where: str) -> None:
    """Every required key, no unknown key, every value of its type."""
    if missing := sorted(required.keys() - entry.keys()):
        raise ClaimError(f"{where}: {missing[0]} is missing")
    allowed = {**required, **optional}
    for key, value in entry.items():
        if key not in allowed:
            raise ClaimError(f"{where}: unknown key {key!r}", hint=f"known are {', '.join(allowed)}")
        # YAML's true is an int to Python, and must not pass for a number
        if not isinstance(value, allowed[key]) or (isinstance(value, bool) and allowed[key] is not bool):
            raise ClaimError(
                f"{where}: {key} is {value!r}, a {type(value).__name__}", hint="quote it, if text is meant"
            )


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key given twice, of which PyYAML would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise ClaimError(f"line {key.start_mark.line + 1}: the key {key.value!r} is given twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _entries(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(section of the file, 'claims.yaml, line 12', entry) of each entry; claims first, as errata refer to them."""
    loader = _Loader(path.read_text(encoding="utf-8"))
    try:
        root = loader.get_single_node()
        sections = {key.value: node for key, node in root.value} if isinstance(root, yaml.MappingNode) else {}
        if not {"claims"} <= sections.keys() <= {"claims", "errata"}:
            raise ClaimError(f"{path.name}: has the sections {', '.join(sections)}", hint="claims, then errata")
        for name in sorted(sections):
            for item in sections[name].value:
                entry = loader.construct_object(item, deep=True)
                where = f"{path.name}, line {item.start_mark.line + 1}"
                if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
                    raise ClaimError(f"{where}: an entry of {name} is a mapping with an id")
                yield name, f"{where} ({entry['id']})", entry
    except yaml.YAMLError as e:
        raise ClaimError(f"{path.name} is not YAML: {e}") from e
    finally:
        loader.dispose()
