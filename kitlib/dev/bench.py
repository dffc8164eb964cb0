"""`./kit bench`: the kit against the tools that people use today, as ratios measured in one run on one machine.

A group sets something up and gives arms (ways to do the same thing) and rows (which arm is compared with which, and the bar).
All arms of a group take turns, so that a machine that gets slower does so for every arm.  Each group's rows are written as soon
as they are known; a group that fails loses only its own rows.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from kitlib import paths
from kitlib.claims import stamp
from kitlib.dev import benchtable
from kitlib.errors import KitError, UsageError
from kitlib.host import stats
from kitlib.host.console import say, step

FOLDER = paths.ROOT / "bench"
RESULTS = FOLDER / "results.json"
REPEATS = 10
# module in bench/rows: its rows.  Short groups come first; groups that make clusters come last, where they disturb no other group.
GROUPS = {
    "size": ("9", "9-max"),
    "listing": ("7",),
    "cells": ("6",),
    "waiting": ("4", "4-helm", "5"),
    "delivery": ("2", "3"),
    "release": ("1a", "1b"),
    "up": ("8",),
}

Values = Mapping[str, float]
Arm = Callable[[], Values]


@dataclass(frozen=True)
class Row:
    """One comparison: the median of `metric` of arm `ours` over that of the best of `peers`, which may be at most `bar`.

    documented: instead of peers, a figure that is not measured, and `against` says where it comes from.
    """

    id: str
    what: str
    against: str
    metric: str
    unit: str
    bar: float
    ours: str = "ours"
    peers: tuple[str, ...] = ()
    documented: float | None = None


@dataclass(frozen=True)
class Group:
    """Arms and rows that are measured together.  exact: the arms give the same value each time, so that one trial is enough.

    warm: trials of each arm that are not counted (caches that both sides are meant to have).
    """

    arms: Mapping[str, Arm]
    rows: Sequence[Row]
    warm: int = 1
    exact: bool = False
    notes: Callable[[Mapping[str, list[Values]]], str] = lambda _: ""


def run(ids: Sequence[str] = (), *, n: int = REPEATS, out: Path = RESULTS) -> int:
    """Measure the rows with these ids (default: all), write results and, for the committed file, the README's table.

    Returns 1 when a row could not be measured; a bar that is missed is a result, not a failure.
    """
    wanted = groups(ids)
    environment = stamp.environment()  # before anything is written into the checkout
    failed = [name for name in wanted if not _measured(name, n, out, environment)]
    found = load(out)
    print(benchtable.markdown(found))
    if out == RESULTS:
        benchtable.into(FOLDER / "README.md", found)
    if failed:
        say(f"not measured: {', '.join(failed)}")
    return int(bool(failed))


def load(file: Path) -> dict[str, Any]:
    """{"rows": {id: result}, "environments": {id: stamp}}; both empty when nothing was measured yet."""
    if not file.exists():
        return {"rows": {}, "environments": {}}
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def interleave(arms: Mapping[str, Arm], n: int, *, on_trial: Callable[[str], None]) -> dict[str, list[Values]]:
    """n trials of each arm, in turns; each round begins with another arm, so that no arm always follows the same one."""
    trials: dict[str, list[Values]] = {name: [] for name in arms}
    names = list(arms)
    for i in range(n):
        shift = i % len(names)
        for name in names[shift:] + names[:shift]:
            on_trial(f"round {i + 1} of {n}: {name}")
            trials[name].append(arms[name]())
    return trials


def judge(row: Row, trials: Mapping[str, list[Values]]) -> dict[str, Any]:
    """The row's result: both sides' median and IQR, the ratio with its 95 % bootstrap interval, and whether the bar is met."""
    ours = _metric(trials[row.ours], row.metric)
    name, peer = _best(row, trials)
    value = stats.median(ours) / stats.median(peer)
    return {
        **{k: v for k, v in asdict(row).items() if k not in ("ours", "peers", "documented")},
        "n": len(ours),
        "ours": _side(ours),
        "peer": {"name": name, **_side(peer)},
        "ratio": round(value, 4),
        "interval": interval(ours, peer),
        "met": value <= row.bar,
    }


def interval(ours: Sequence[float], peer: Sequence[float]) -> list[float] | None:
    """95 % bootstrap interval of the ratio of medians, both sides resampled by themselves; None when ours has fewer than two trials."""
    if len(ours) < 2:
        return None
    rng = np.random.default_rng(stats.SEED)
    resampled = [np.median(rng.choice(side, (stats.RESAMPLES, len(side))), axis=1) for side in (ours, peer)]
    low, high = np.quantile(resampled[0] / resampled[1], [0.025, 0.975])
    return [round(float(low), 4), round(float(high), 4)]


def _best(row: Row, trials: Mapping[str, list[Values]]) -> tuple[str, list[float]]:
    if row.documented is not None:
        return "documented", [row.documented]
    sides = {name: _metric(trials[name], row.metric) for name in row.peers}
    return min(sides.items(), key=lambda side: stats.median(side[1]))


def _metric(trials: Sequence[Values], metric: str) -> list[float]:
    return [float(t[metric]) for t in trials]


def _side(values: Sequence[float]) -> dict[str, Any]:
    return {
        "median": float(f"{stats.median(values):.5g}"),
        "iqr": float(f"{stats.iqr(values):.3g}"),
        "values": [float(f"{v:.5g}") for v in values],
    }


def groups(ids: Sequence[str]) -> list[str]:
    """The groups that have these rows (none given: all), in the order in which they are measured.  Raises UsageError."""
    known = {row: name for name, rows in GROUPS.items() for row in rows}
    if unknown := [i for i in ids if i not in known]:
        raise UsageError(f"no row is called {', '.join(unknown)}", hint=f"one of {', '.join(known)}")
    return [name for name, rows in GROUPS.items() if not ids or set(ids) & set(rows)]


def _measured(name: str, n: int, out: Path, environment: Mapping[str, Any]) -> bool:
    """Measure one group and write its rows; False when it failed."""
    began = time.monotonic()
    try:
        with step(f"bench: {', '.join(GROUPS[name])}") as line, _open(name) as group:
            interleave(group.arms, group.warm, on_trial=lambda what: line(f"warming up, {what}"))
            trials = interleave(group.arms, 1 if group.exact else n, on_trial=line)
    except KitError as e:
        say(f"kit: {e}")
        return False
    common = {
        "environment": stamp.stamp_id(environment),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 1),
        "notes": group.notes(trials),
    }
    _write(out, [{**judge(row, trials), **common} for row in group.rows], environment)
    return True


def _open(name: str) -> AbstractContextManager[Group]:
    made: AbstractContextManager[Group] = importlib.import_module(f"bench.rows.{name}").group()
    return made


def _write(out: Path, results: Sequence[dict[str, Any]], environment: Mapping[str, Any]) -> None:
    """Replace these rows, keep the others; the file appears whole."""
    found = load(out)
    rows = found["rows"] | {r["id"]: r for r in results}
    order = [i for rows_of in GROUPS.values() for i in rows_of]
    known = {**found["environments"], stamp.stamp_id(environment): environment}
    used = {r["environment"] for r in rows.values()}
    kept = {
        "rows": {i: rows[i] for i in sorted(rows, key=order.index)},
        "environments": {mark: known[mark] for mark in sorted(used)},
    }
    partial = out.with_suffix(".partial")
    partial.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    partial.replace(out)
