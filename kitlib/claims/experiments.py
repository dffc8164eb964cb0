"""Measure treatments in interleaved rounds, and keep every value; rows.py has the file, and the frame that comes out."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd

from kitlib.claims import levels, rows
from kitlib.claims.progress import ProgressLine
from kitlib.claims.rows import AFTER, BEFORE, BROKEN, Row
from kitlib.claims.stamp import environment, run_id, stamp_id
from kitlib.errors import UsageError
from kitlib.host import turns

PROFILES = ("quick", "full")

Value = float | Mapping[str, float]
Measure = Callable[..., Value]
Batch = Callable[[list[dict[str, Any]]], Sequence[Value]]
Trial = tuple[int, dict[str, Any]]  # repeat, treatment


class Measured(Protocol):
    """The fields of a claim that an experiment uses.  unit: of `metric`."""

    @property
    def id(self) -> str:
        """The claim's id, under which its rows are kept."""

    @property
    def metric(self) -> str:
        """The metric of a `measure` that returns one number."""

    @property
    def unit(self) -> str:
        """The unit of `metric`."""


def experiment(
    claim: Measured,
    measure: Measure | Batch,
    *,
    over: Mapping[str, Sequence[Any]],
    repeats: int | Mapping[str, int],
    unit: str | None = None,
    units: Mapping[str, str] | None = None,
    profile: str | None = None,
    seed: int = 0,
    extra: Mapping[str, Any] | None = None,
    batch: bool = False,
) -> pd.DataFrame:
    """Call `measure(**treatment)` for every combination in `over`, `repeats` times; return the runs frame.

    measure returns one number (of the claim's metric, in `unit` or the claim's unit) or a mapping metric -> number,
    with `units` giving metric -> unit, where the measurement does not declare it (levels.py).  A level that it does not know is
    refused before anything is measured.  A metric that it leaves out has no row.  repeats: a number, or one number per profile.
    Each round runs every combination once, in an order shuffled by `seed`, so that drift falls on all treatments alike.
    extra: joins the environment's stamp, for instance the bases that the images stand on.
    batch: all trials run side by side, for trials that mostly wait: `measure(trials)` is called once, with one dict per trial, and
    returns as many values in the same order.  It says how far it is by kitlib.claims.progress.
    Nothing is built in the background meanwhile (kitlib.host.turns).
    An error that `measure` raises is passed on, after the rows so far have been written to the results file.
    """
    if isinstance(claim, str):
        raise UsageError(f"{claim!r} is the id of a claim", hint=f'kit.experiment(kit.claim("{claim}"), ...)')
    profile = _profile(profile)
    rows.check(claim.id)
    treatments = _combinations(over)
    if not batch:
        levels.check_names(measure, over)
    levels.check(measure, over)
    trials = _trials(treatments, _repeats(repeats, profile), seed)
    calls = [trials] if batch else [[trial] for trial in trials]
    env = environment(extra)
    same = {"profile": profile, "run": run_id(), "stamp": stamp_id(env)}
    known = {**levels.units(measure), claim.metric: unit or claim.unit, **(units or {})}
    found: list[Row] = []
    with turns.measuring():
        line = ProgressLine.show(total=len(trials), rounds=trials[-1][0])
        measured_trials = 0
        ended: list[Row] = [{"kind": BROKEN, "claim": claim.id, "run": same["run"]}]
        try:
            for call in calls:
                line.update(*call[0], trials=len(call))
                started = datetime.now(UTC).isoformat(timespec="milliseconds")
                for (repeat, treatment), measured in zip(call, _measured(measure, call, batch=batch), strict=True):
                    for metric, value, its_unit in _values(measured, claim.metric, known):
                        what = {"claim": claim.id, "metric": metric, **treatment, "repeat": repeat}
                        found.append(what | {"value": value, "unit": its_unit, "started_at": started, **same})
                measured_trials += len(call)
                line.ended(measured_trials - line.count)
            ended = []
        finally:
            if found:
                kept = ({"kind": "row", **row} for row in found)
                rows.append(claim.id, [rows.environment_line(same["stamp"], env), *kept, *ended])
            line.close(len(found), trials=measured_trials)
    return rows.frame(found, tuple(over))


def _profile(given: str | None) -> str:
    profile = given or os.environ.get("KIT_PROFILE") or "quick"
    if profile not in PROFILES:
        raise UsageError(f"{profile!r} is not a profile", hint=f"one of {', '.join(PROFILES)}")
    return profile


def _repeats(repeats: int | Mapping[str, int], profile: str) -> int:
    count = repeats if isinstance(repeats, int) else repeats.get(profile, 0)
    if count < 1:
        raise UsageError(
            f"no repeats for the profile {profile!r}", hint="repeats= is a number from 1, or one number per profile"
        )
    return count


def _combinations(over: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    if taken := sorted(set(over) & {*BEFORE, *AFTER, "kind"}):
        raise UsageError(f"a treatment cannot be called {taken[0]!r}: the runs frame has a column of that name")
    if empty := [name for name, levels in over.items() if isinstance(levels, str) or not len(levels)]:
        raise UsageError(f"the treatment {empty[0]!r} needs a sequence of levels")
    return [dict(zip(over, levels, strict=True)) for levels in itertools.product(*over.values())]


def _trials(treatments: list[dict[str, Any]], repeats: int, seed: int) -> list[Trial]:
    shuffle = np.random.default_rng(seed).permutation
    return [(repeat, treatments[i]) for repeat in range(1, repeats + 1) for i in shuffle(len(treatments))]


def _measured(measure: Measure | Batch, call: list[Trial], *, batch: bool) -> Sequence[Value]:
    if not batch:
        return [cast(Measure, measure)(**call[0][1])]
    found = cast(Batch, measure)([treatment for _, treatment in call])
    if len(found) != len(call):
        raise UsageError(f"{len(call)} trials gave {len(found)} values", hint="a batch returns one value per trial")
    return found


def _values(
    measured: float | Mapping[str, float], metric: str, units: Mapping[str, str]
) -> Iterator[tuple[str, float, str]]:
    for name, value in (measured if isinstance(measured, Mapping) else {metric: measured}).items():
        if name not in units:
            raise UsageError(f"the metric {name!r} has no unit", hint=f"units={{{name!r}: ...}} in kit.experiment")
        if not math.isfinite(value):
            raise UsageError(f"{name} came out as {value}", hint="leave metrics without a value out of the mapping")
        yield name, float(value), units[name]
