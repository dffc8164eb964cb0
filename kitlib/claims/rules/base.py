"""The parts that the rules share: their interface, their result, and how they read a runs frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kitlib.claims.verdict import Condition, Word
from kitlib.errors import ClaimError
from kitlib.host.stats import P_VALUE, YES_NO, Sample, Values, iqr, median, quantity

Params = Mapping[str, Any]
Types = Mapping[str, type | tuple[type, ...]]
NUMBER = (int, float)
NUMBERS = re.compile(r"(\d+(?:\.\d+)?)")


OWN = "the kit's own threshold"
OWN_REASON = "a threshold of the kit's own does not refute the guide"


@dataclass(frozen=True)
class Outcome:
    """The result of a rule: the word, what was measured in a sentence, n, and the values behind it.

    sample: the values, in `unit`, that one median can stand for; empty where treatments differ in kind, and for yes and no.
    treatments: n, median and IQR of each treatment that was judged or compared.
    own: the thresholds of the kit's own that were applied, in words.
    conditions: each thing that the rule asks, and whether it was met.
    """

    verdict: Word
    reading: str
    unit: str
    sample: Values
    n: int
    reason: str = ""
    treatments: tuple[Sample, ...] = ()
    own: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


NAMES: Types = {"names": dict}  # every rule may say how metrics, levels and columns are called in a sentence


@dataclass(frozen=True)
class Rule:
    """One kind of rule: how it judges, its words (of the parameters and the claim's unit), and its parameters (name -> type).

    check: raises ClaimError for parameters that have the right types and still make no sense.  NAMES may be given to each.
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
    """The rows of one metric and of these levels.  Raises ClaimError, with what the frame has, when there are none."""
    found = runs[runs["metric"] == metric]
    for column, level in where.items():
        found = found[found[column] == level] if column in found.columns else found.iloc[:0]
    if found.empty:
        wanted = " and ".join(f"{column}={level}" for column, level in where.items())
        raise ClaimError(f"no rows of metric {metric!r}{f' for {wanted}' if wanted else ''}", observed=present(runs))
    return found


def present(runs: pd.DataFrame) -> list[str]:
    """One line that says how many rows the frame has and which metrics, for an error's `observed`."""
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
    """One row per level and one column per metric; every level must have every metric."""
    table = {metric: [rows(runs, metric, {column: level})["value"].median() for level in levels] for metric in metrics}
    return pd.DataFrame(table, index=list(levels))


def median_text(runs: pd.DataFrame, metric: str, where: Mapping[str, Any]) -> str:
    """The median of one metric at these levels, with its unit.  Raises ClaimError when there are no rows."""
    return median_of(rows(runs, metric, where))


def median_of(found: pd.DataFrame) -> str:
    """The median of these rows, written in the unit of the first one."""
    return quantity(median(found["value"].to_numpy(float)), unit_of(found))


def unit_of(found: pd.DataFrame) -> str:
    """The unit of these rows of one metric; a p-value is one by the metric's name."""
    return P_VALUE if found["metric"].iloc[0] == "p_value" else str(found["unit"].iloc[0])


def named(p: Params, name: object) -> str:
    """What a sentence calls a metric, a level or a column: by the rule's `names`, else as it is."""
    return str(p.get("names", {}).get(name, name))


def samples(found: pd.DataFrame, by: Iterable[str], label: str = "") -> tuple[Sample, ...]:
    """n, median and IQR of the values of each combination of the columns `by` that these rows have, in natural order.

    label: of a metric, to tell it from others.  Without a column, all rows are one sample.
    """
    columns = [c for c in dict.fromkeys(by) if c in found.columns and found[c].notna().any()]
    groups = dict(iter(found.groupby(columns, sort=False, dropna=False))) if columns else {(): found}
    by_name = {" · ".join(map(level_name, key)): group for key, group in groups.items()}
    return tuple(_sample(name, by_name[name], label) for name in ordered(by_name))


def _sample(name: str, group: pd.DataFrame, label: str) -> Sample:
    values = group["value"].to_numpy(float)
    treatment = f"{label} ({name})" if label and name else label or name
    unit = unit_of(group)
    yes = int((values == 1).sum()) if unit == YES_NO else None
    return Sample(treatment, len(values), median(values), iqr(values), unit, yes)


def level_name(value: Any) -> str:
    """A level's name; a column of whole numbers turns to floats when other rows have no level of it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def percent(share: float) -> str:
    """A share from 0 to 1 as a percentage: 0.25 → '25 %'."""
    return quantity(100 * share, "%")


def all_some_none(checks: Iterable[bool], *, own: bool = False) -> Word:
    """own: whether every threshold is the kit's own, so that the worst word is `depends`."""
    passed = list(checks)
    return "holds" if all(passed) else "depends" if any(passed) else mildest("refuted", own=own)


def mildest(word: Word, *, own: bool) -> Word:
    """The word, except that a threshold of the kit's own does not refute what the guide says."""
    return "depends" if own and word == "refuted" else word


def marked(p: Params) -> str:
    """The words after a threshold that is the kit's own."""
    return f" ({OWN})" if p.get("own") else ""


def split(yes: str, no: str, checks: Mapping[str, bool]) -> str:
    """The parts that pass, or those that do not, whichever are fewer.  Empty when they all agree."""
    if len(set(checks.values())) == 1:
        return ""
    passed, failed = ([_quoted(name) for name, ok in checks.items() if ok is wanted] for wanted in (True, False))
    return f"{yes} only: {', '.join(passed)}" if len(passed) < len(failed) else f"{no}: {', '.join(failed)}"


def _quoted(name: str) -> str:
    """In a list, a name with a comma has to be seen as one."""
    return f"“{name}”" if "," in name else name
