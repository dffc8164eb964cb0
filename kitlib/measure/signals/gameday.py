"""Faults as trials of an experiment: how soon they are detected and repaired, and whether their alerts lead to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.gameday.faults import NAMES, Fault, named
from kitlib.gameday.rounds import UNITS as ROUNDS
from kitlib.gameday.rounds import GameDay, timeline
from kitlib.gameday.trail import Trail
from kitlib.views.timeline import Timeline

UNITS = {**ROUNDS, "requests": "0/1", "spans": "count", "lines": "lines"}


@takes(UNITS, fault=NAMES)
def trails(day: GameDay, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """Values for each trial {"fault": name}, of rounds that were played: the first trial of a fault is its first round.

    found: 1 when the alert's trail ends at the service at fault, 0 when it does not, or there was no trail.  requests: 1 when a request
    showed the cause.  spans: of its trace.  lines: log lines on the way, of the trace or of the pod that the alert names; left out
    where the alert names a Service or a target.
    """
    followed = {name: iter(found) for name, found in day.trails.items()}
    return [_values(named(trial["fault"]), next(followed[trial["fault"]])) for trial in trials]


def _values(fault: Fault, trail: Trail | None) -> dict[str, float]:
    values = {
        "found": float(trail is not None and trail.service == fault.service),
        "requests": float(trail is not None and trail.request is not None),
        "spans": float(len(trail.spans) if trail else 0),
    }
    lines = float(len(trail.lines) if trail else 0)
    return {**values, "lines": lines} if fault.told in ("requests", "pod") else values


def medians(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per fault of a runs frame, the soonest detected first: the median of each metric over its rounds, in its unit."""
    table = runs.pivot_table(index="fault", columns="metric", values="value", aggfunc="median")
    return table.sort_values("detected")


def picture(runs: pd.DataFrame) -> Timeline:
    """The rounds of a runs frame, as medians per fault.  The repair begins as soon as the alert is delivered."""
    moments = {
        str(name): (row["detected"], row["detected"] + row["well"], row["detected"] + row["resolved"])
        for name, row in medians(runs).iterrows()
    }
    return timeline({name: [None if pd.isna(t) else float(t) for t in each] for name, each in moments.items()})
