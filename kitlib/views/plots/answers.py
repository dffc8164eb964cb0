"""Yes or no for each treatment, as a table: dots at 0 and 1 would say nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kitlib.claims.register import Claim
from kitlib.host.stats import YES_NO
from kitlib.views.plots.base import Plot

NOTHING = "–"


def asked(runs: pd.DataFrame, claim: Claim, metric: str) -> list[str]:
    """The 0/1 metrics to show: the one that is asked for, and the others of the claim's rule; [] when the one is no 0/1 metric."""
    here = runs.groupby("metric")["unit"].first()
    if here.get(metric) != YES_NO:
        return []
    named = dict.fromkeys([metric, *(check["metric"] for check in claim.rule.get("checks", ()))])
    return [name for name in named if here.get(name) == YES_NO]


def plot(runs: pd.DataFrame, metrics: Sequence[str], by: Sequence[str], title: str) -> Plot:
    """One row per treatment, one column per metric: yes, no, or in how many of the runs; and n."""
    found = runs[runs["metric"].isin(metrics)]
    rows = [_row(group, metrics, by, key) for key, group in found.groupby(list(by), sort=False, dropna=False)]
    table = pd.DataFrame(rows)
    told = "; ".join(f"{_name(row, by)}: {_told(row, metrics)}" for row in rows)
    return Plot(title, "", f"{title} – {told}.", table)


def _row(group: pd.DataFrame, metrics: Sequence[str], by: Sequence[str], key: object) -> dict[str, object]:
    """The levels of a treatment, its n, and the answer of each metric."""
    levels = key if isinstance(key, tuple) else (key,)
    values = {metric: group[group["metric"] == metric]["value"] for metric in metrics}
    answers = {metric.replace("_", " "): _answer(found) for metric, found in values.items()}
    return dict(zip(by, levels, strict=True)) | answers | {"n": max(map(len, values.values()))}


def _answer(values: pd.Series[float]) -> str:
    yes = int((values == 1).sum())
    if not len(values):
        return NOTHING
    return f"yes in {yes} of {len(values)}" if 0 < yes < len(values) else "yes" if yes else "no"


def _name(row: dict[str, object], by: Sequence[str]) -> str:
    return " · ".join(str(row[column]) for column in by)


def _told(row: dict[str, object], metrics: Sequence[str]) -> str:
    names = [metric.replace("_", " ") for metric in metrics]
    if len(names) == 1:
        return f"{row[names[0]]} (n = {row['n']})"
    return ", ".join(f"{name} {row[name]}" for name in names if row[name] != NOTHING) + f" (n = {row['n']})"
