"""The rules that claims.yaml may name, which judge a runs frame.

A rule is data, {kind: ..., parameters}; a kind is one small function (frame, parameters) -> Outcome, and its words.
Nothing here knows a figure of the guide: those are parameters in the register.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kitlib.errors import ClaimError
from kitlib.stats import Values, median, quantity, slope
from kitlib.verdict import Word

Params = Mapping[str, Any]
Types = Mapping[str, type | tuple[type, ...]]
NUMBER = (int, float)


@dataclass(frozen=True)
class Outcome:
    """What a rule found: the word, one sentence of figures, and the values that n, median and IQR are taken of."""

    verdict: Word
    reading: str
    unit: str
    sample: Values
    n: int
    reason: str = ""


def _reduction(runs: pd.DataFrame, p: Params) -> Outcome:
    """Share of `metric` that disappears from treatment `from` to treatment `to`, repeat by repeat."""
    saved = {metric: _saved(runs, p, metric) for metric in (p["metric"], *p.get("also", ()))}
    judged = saved[p["metric"]]
    holds = median(judged) >= 100 * p["at_least"]
    figures = " and ".join(f"{quantity(median(v), '%')} of {metric}" for metric, v in saved.items())
    ends = " to ".join(_median_text(runs, p["metric"], {p["column"]: p[end]}) for end in ("from", "to"))
    reading = f"Going from {p['from']} to {p['to']} saves {figures} ({p['metric']}: {ends})."
    return Outcome("holds" if holds else "refuted", reading, "%", judged, len(judged))


def _saved(runs: pd.DataFrame, p: Params, metric: str) -> Values:
    before, after = (_rows(runs, metric, {p["column"]: p[end]}).set_index("repeat")["value"] for end in ("from", "to"))
    if set(before.index) != set(after.index) or not (before.index.is_unique and after.index.is_unique):
        raise ClaimError(f"the repeats of {p['from']} and {p['to']} do not pair up for {metric}")
    shares: npt.NDArray[np.float64] = 100 * (1 - after / before).to_numpy(dtype=float)
    return shares


def _figures(runs: pd.DataFrame, p: Params) -> Outcome:
    """Each figure of the guide against the measured median of the same treatment."""
    fits: dict[str, bool] = {}
    parts = []
    for figure in p["figures"]:
        rows = _rows(runs, p["metric"], {p["column"]: figure["of"]})
        fits[figure["of"]] = _fits(median(rows["value"].to_numpy(float)), figure)
        parts.append(f"{figure['of']} {_median_of(rows)} (the guide: {_figure_words(figure, rows['unit'].iloc[0])})")
    headline = _rows(runs, p["metric"], {p["column"]: p["headline"]})
    apps = runs[(runs["metric"] == p["metric"]) & ~runs[p["column"]].isin(p.get("bases", []))]
    smallest = apps.groupby(p["column"])["value"].median().idxmin()
    found = _median_text(runs, p["metric"], {p["column"]: smallest})
    return Outcome(
        _all_some_none(fits.values()),
        f"{'; '.join(parts)}. The smallest found is {smallest} with {found}.",
        headline["unit"].iloc[0],
        headline["value"].to_numpy(float),
        len(headline),
        _split("fits", "does not fit", fits),
    )


def _fits(value: float, figure: Params) -> bool:
    if "below" in figure:
        return bool(value < figure["below"])
    return bool(abs(value - figure["about"]) <= figure["within"] * figure["about"])


def _figure_words(figure: Params, unit: str) -> str:
    return (
        f"below {quantity(figure['below'], unit)}" if "below" in figure else f"about {quantity(figure['about'], unit)}"
    )


def _equals(runs: pd.DataFrame, p: Params) -> Outcome:
    """Every repeat of one treatment has one value; the other treatments are there to compare."""
    rows = _rows(runs, p["metric"], p["where"])
    values = rows["value"].to_numpy(float)
    hits = int((values == p["value"]).sum())
    column, level = next(iter(p["where"].items()))
    others = [other for other in _levels(runs, column, [p["metric"]]) if other != level]
    shown = "; ".join(f"{other} {_median_text(runs, p['metric'], {column: other})}" for other in others)
    compared = f" (to compare, {shown})" if shown else ""
    reading = f"{p['metric']} was {p['value']:g} in {hits} of {len(values)} runs of {level}{compared}."
    word: Word = "holds" if hits == len(values) else "depends" if hits else "refuted"
    reason = f"it differs from run to run of {level}" if word == "depends" else ""
    return Outcome(word, reading, rows["unit"].iloc[0], values, len(values), reason)


def _monotone(runs: pd.DataFrame, p: Params) -> Outcome:
    """Each metric never falls as `by` grows; the sample is each metric's share of pairs of levels in this order."""
    metrics = [p["by"], *p["metrics"]]
    table = _medians(runs, p["column"], metrics, _levels(runs, p["column"], metrics))
    kept = {metric: _share_in_order(table[p["by"]], table[metric]) for metric in p["metrics"]}
    rises = {metric: share == 1 for metric, share in kept.items()}
    flat = [metric for metric in p["metrics"] if table[metric].nunique() == 1]
    order = ", ".join(table.sort_values(p["by"]).index)
    reading = f"In order of {p['by']} ({order}), {sum(rises.values())} of {len(rises)} metrics never fall"
    reading += f"; {', '.join(flat)} is the same everywhere." if flat else "."
    shares = [100 * share for share in kept.values()]
    reason = _split("never falls", "does not keep the order", rises)
    return Outcome(_all_some_none(rises.values()), reading, "% of pairs", shares, len(shares), reason)


def _share_in_order(by: pd.Series[float], metric: pd.Series[float]) -> float:
    """Of all pairs of levels that differ in `by`, the share in which the larger one has no less of the metric."""
    x, y = by.to_numpy(float), metric.to_numpy(float)
    i, j = np.nonzero(x[:, None] < x[None, :])
    if not len(i):
        raise ClaimError("an order needs at least two levels of different size")
    return float(np.mean(y[i] <= y[j]))


def _slope(runs: pd.DataFrame, p: Params) -> Outcome:
    """The bootstrap interval of the slope of `metric` on `x`, per `per` units of x, against zero."""
    x, y, units = trials(runs, p)
    unit = f"{units[1]} per {quantity(p['per'], units[0])}"
    line = slope(x, y, min_repeats=p["min_repeats"])
    if line is None:
        reason = (
            f"not resolved with {len(y)} trials: the rule asks for {p['min_repeats']} of each of at least two sizes"
        )
        return Outcome("depends", f"{len(y)} trials give no interval of the slope.", unit, [], len(y), reason)
    low, high = (bound * p["per"] for bound in line.interval(p["confidence"]))
    word: Word = "holds" if low > 0 else "refuted" if high <= 0 else "depends"
    found = f"{line.value * p['per']:.3g} {unit}, {_percent(p['confidence'])} interval {low:.3g} to {high:.3g}"
    reading = f"The slope is {found}, over {len(y)} trials."
    reason = f"not resolved at n = {len(y)}: the interval includes zero" if word == "depends" else ""
    return Outcome(word, reading, unit, line.slopes * p["per"], len(y), reason)


def trials(runs: pd.DataFrame, p: Params) -> tuple[Values, Values, tuple[str, str]]:
    """x and y of each trial of a slope rule, and their units; x is a property of the level, and so its median."""
    rows = _rows(runs, p["metric"], {})
    sizes = _medians(runs, p["column"], [p["x"]], _levels(runs, p["column"], [p["metric"]]))[p["x"]]
    x_unit = _rows(runs, p["x"], {})["unit"].iloc[0]
    return rows[p["column"]].map(sizes).to_numpy(float), rows["value"].to_numpy(float), (x_unit, rows["unit"].iloc[0])


# --- what the rules share ---------------------------------------------------------------------------------------------


def _rows(runs: pd.DataFrame, metric: str, where: Mapping[str, Any]) -> pd.DataFrame:
    found = runs[runs["metric"] == metric]
    for column, level in where.items():
        found = found[found[column] == level] if column in found.columns else found.iloc[:0]
    if found.empty:
        wanted = " and ".join(f"{column}={level}" for column, level in where.items())
        raise ClaimError(f"no rows of metric {metric!r}{f' for {wanted}' if wanted else ''}", observed=_present(runs))
    return found


def _present(runs: pd.DataFrame) -> list[str]:
    return [f"the frame has {len(runs)} rows, of the metrics: {', '.join(sorted(set(runs['metric']))) or 'none'}"]


def _levels(runs: pd.DataFrame, column: str, metrics: Sequence[str]) -> list[str]:
    """The levels of a treatment that have any row of these metrics."""
    for metric in metrics:
        _rows(runs, metric, {})
    return list(dict.fromkeys(runs[runs["metric"].isin(metrics)][column])) if column in runs.columns else []


def _medians(runs: pd.DataFrame, column: str, metrics: Sequence[str], levels: Sequence[str]) -> pd.DataFrame:
    """One row a level, one column a metric; every level must have every metric."""
    table = {metric: [_rows(runs, metric, {column: level})["value"].median() for level in levels] for metric in metrics}
    return pd.DataFrame(table, index=list(levels))


def _median_text(runs: pd.DataFrame, metric: str, where: Mapping[str, Any]) -> str:
    return _median_of(_rows(runs, metric, where))


def _median_of(rows: pd.DataFrame) -> str:
    return quantity(median(rows["value"].to_numpy(float)), rows["unit"].iloc[0])


def _percent(share: float) -> str:
    return quantity(100 * share, "%")


def _all_some_none(checks: Any) -> Word:
    passed = list(checks)
    return "holds" if all(passed) else "depends" if any(passed) else "refuted"


def _split(yes: str, no: str, checks: Mapping[str, bool]) -> str:
    """Which parts pass and which do not; empty when they all agree."""
    if len(set(checks.values())) == 1:
        return ""
    passed, failed = ([name for name, ok in checks.items() if ok is wanted] for wanted in (True, False))
    return f"{yes}: {', '.join(passed)}; {no}: {', '.join(failed)}"


@dataclass(frozen=True)
class Rule:
    """One kind of rule: how it judges, its words (of the parameters and the claim's unit), and its parameters (name -> type)."""

    judge: Callable[[pd.DataFrame, Params], Outcome]
    words: Callable[[Params, str], str]
    required: Types
    optional: Types = field(default_factory=dict)


RULES: Mapping[str, Rule] = {
    "reduction": Rule(
        _reduction,
        lambda p, _: (
            f"holds if going from {p['from']} to {p['to']} saves at least {_percent(p['at_least'])} of {p['metric']}"
        ),
        {"column": str, "from": str, "to": str, "metric": str, "at_least": NUMBER},
        {"also": list},
    ),
    "figures": Rule(
        _figures,
        lambda p, unit: (
            "holds if every figure fits the measured median, depends if some do: "
            + "; ".join(
                f"{f['of']} {_figure_words(f, unit)}" + (f", within {_percent(f['within'])}" if "within" in f else "")
                for f in p["figures"]
            )
        ),
        {"column": str, "metric": str, "figures": list, "headline": str},
        {"bases": list},
    ),
    "equals": Rule(
        _equals,
        lambda p, _: (
            f"holds if {p['metric']} is {p['value']:g} in every run with "
            + ", ".join(f"{column} {level}" for column, level in p["where"].items())
        ),
        {"metric": str, "where": dict, "value": NUMBER},
    ),
    "monotone": Rule(
        _monotone,
        lambda p, _: f"holds if none of {', '.join(p['metrics'])} falls as {p['by']} grows, depends if some do",
        {"column": str, "by": str, "metrics": list},
    ),
    "slope": Rule(
        _slope,
        lambda p, _: (
            f"holds if the {_percent(p['confidence'])} interval of the slope of {p['metric']} on {p['x']} is above zero, "
            "refuted if it is not, depends if it includes zero"
        ),
        {"column": str, "metric": str, "x": str, "per": NUMBER, "confidence": NUMBER, "min_repeats": int},
    ),
}
