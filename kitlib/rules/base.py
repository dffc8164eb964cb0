"""What the rules share: their shape, what they return, and how they read a runs frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kitlib.errors import ClaimError
from kitlib.stats import Values, median, quantity
from kitlib.verdict import Word

Params = Mapping[str, Any]
Types = Mapping[str, type | tuple[type, ...]]
NUMBER = (int, float)
NUMBERS = re.compile(r"(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Outcome:
    """What a rule found: the word, one sentence of figures, and the values that n, median and IQR are taken of."""

    verdict: Word
    reading: str
    unit: str
    sample: Values
    n: int
    reason: str = ""


@dataclass(frozen=True)
class Rule:
    """One kind of rule: how it judges, its words (of the parameters and the claim's unit), and its parameters (name -> type).

    check: raises ClaimError for parameters that have the right types and still make no sense.
    """

    judge: Callable[[pd.DataFrame, Params], Outcome]
    words: Callable[[Params, str], str]
    required: Types
    optional: Types = field(default_factory=dict)
    check: Callable[[Params], None] = lambda _: None


def number(value: Any, what: str) -> None:
    """Raise ClaimError unless the value is a number; YAML's true is an int to Python, and must not pass for one."""
    if not isinstance(value, NUMBER) or isinstance(value, bool):
        raise ClaimError(f"{what} is {value!r}, not a number")


def rows(runs: pd.DataFrame, metric: str, where: Mapping[str, Any]) -> pd.DataFrame:
    found = runs[runs["metric"] == metric]
    for column, level in where.items():
        found = found[found[column] == level] if column in found.columns else found.iloc[:0]
    if found.empty:
        wanted = " and ".join(f"{column}={level}" for column, level in where.items())
        raise ClaimError(f"no rows of metric {metric!r}{f' for {wanted}' if wanted else ''}", observed=present(runs))
    return found


def present(runs: pd.DataFrame) -> list[str]:
    return [f"the frame has {len(runs)} rows, of the metrics: {', '.join(sorted(set(runs['metric']))) or 'none'}"]


def levels(runs: pd.DataFrame, column: str, metrics: Sequence[str]) -> list[str]:
    """The levels of a treatment that have any row of these metrics."""
    for metric in metrics:
        rows(runs, metric, {})
    return list(dict.fromkeys(runs[runs["metric"].isin(metrics)][column])) if column in runs.columns else []


def ordered(found: Iterable[Any]) -> list[Any]:
    """Levels by name, numbers in their names by value: trials come in any order, and 10 s is more than 2 s."""
    return sorted(found, key=lambda level: [float(p) if i % 2 else p for i, p in enumerate(NUMBERS.split(str(level)))])


def medians(runs: pd.DataFrame, column: str, metrics: Sequence[str], levels: Sequence[str]) -> pd.DataFrame:
    """One row a level, one column a metric; every level must have every metric."""
    table = {metric: [rows(runs, metric, {column: level})["value"].median() for level in levels] for metric in metrics}
    return pd.DataFrame(table, index=list(levels))


def median_text(runs: pd.DataFrame, metric: str, where: Mapping[str, Any]) -> str:
    return median_of(rows(runs, metric, where))


def median_of(found: pd.DataFrame) -> str:
    return quantity(median(found["value"].to_numpy(float)), found["unit"].iloc[0])


def percent(share: float) -> str:
    return quantity(100 * share, "%")


def all_some_none(checks: Iterable[bool]) -> Word:
    passed = list(checks)
    return "holds" if all(passed) else "depends" if any(passed) else "refuted"


def split(yes: str, no: str, checks: Mapping[str, bool]) -> str:
    """Which parts pass, or which do not, whichever are fewer: of all others the opposite is so.  Empty when they all agree."""
    if len(set(checks.values())) == 1:
        return ""
    passed, failed = ([_quoted(name) for name, ok in checks.items() if ok is wanted] for wanted in (True, False))
    return f"{yes} only: {', '.join(passed)}" if len(passed) < len(failed) else f"{no}: {', '.join(failed)}"


def _quoted(name: str) -> str:
    """In a list, a name with a comma has to be seen as one."""
    return f"“{name}”" if "," in name else name
