"""Measure treatments in interleaved rounds; keep every value in `results/<claim>.jsonl`; read them back as a frame.

A runs frame has one row per repeat and metric:
    claim, metric, <one column per treatment>, repeat (from 1), value (float), unit, started_at (UTC, ms),
    profile, run, stamp
The file is append-only.  Its kinds of lines: the environment behind a stamp, rows, that an experiment broke off after the rows
before it, and that the claim cannot be measured here.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd

from kitlib.claims import levels
from kitlib.claims.progress import ProgressLine
from kitlib.claims.stamp import environment, run_id, stamp_id
from kitlib.errors import InputError, UsageError
from kitlib.host import textfile
from kitlib.paths import results

PROFILES = ("quick", "full")
DECLINED = "not-measurable"
BROKEN = "broken-off"
BEFORE = ("claim", "metric")
AFTER = ("repeat", "value", "unit", "started_at", "profile", "run", "stamp")

Value = float | Mapping[str, float]
Measure = Callable[..., Value]
Batch = Callable[[list[dict[str, Any]]], Sequence[Value]]
Row = dict[str, Any]
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
    An error that `measure` raises is passed on, after the rows so far have been written to the results file.
    """
    if isinstance(claim, str):
        raise UsageError(f"{claim!r} is the id of a claim", hint=f'kit.experiment(kit.claim("{claim}"), ...)')
    profile = _profile(profile)
    _check_file(_file(claim.id))
    treatments = _combinations(over)
    if not batch:
        levels.check_names(measure, over)
    levels.check(measure, over)
    trials = _trials(treatments, _repeats(repeats, profile), seed)
    calls = [trials] if batch else [[trial] for trial in trials]
    env = environment(extra)
    same = {"profile": profile, "run": run_id(), "stamp": stamp_id(env)}
    known = {**levels.units(measure), claim.metric: unit or claim.unit, **(units or {})}
    rows: list[Row] = []
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
                    rows.append(what | {"value": value, "unit": its_unit, "started_at": started, **same})
            measured_trials += len(call)
            line.ended(measured_trials - line.count)
        ended = []
    finally:
        if rows:
            kept = ({"kind": "row", **row} for row in rows)
            _append(_file(claim.id), [_environment_line(same["stamp"], env), *kept, *ended])
        line.close(len(rows), trials=measured_trials)
    return _frame(rows, tuple(over))


def decline(claim_id: str, reason: str) -> None:
    """Write to the claim's results file that this machine cannot measure the claim, and why."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"kind": DECLINED, "claim": claim_id, "reason": reason, "started_at": at, "run": run_id()}
    _append(_file(claim_id), [line])


def declined(claim_id: str, run: str | None = None) -> str:
    """Why the claim could not be measured in that run, by default the newest; "" when it was measured, or no reason was given."""
    last = _last(claim_id, run)
    return str(last["reason"]) if last.get("kind") == DECLINED else ""


def broke_off(claim_id: str, run: str | None = None) -> bool:
    """Whether the newest rows of that run, by default of the newest, come from an experiment that did not end."""
    return _last(claim_id, run).get("kind") == BROKEN


def _last(claim_id: str, run: str | None) -> Row:
    kinds = ("row", DECLINED, BROKEN)
    said = [line for line in lines(claim_id) if line["kind"] in kinds and run in (None, line.get("run"))]
    return said[-1] if said else {}


def load(claim_id: str, run: str | None = None) -> pd.DataFrame:
    """The rows of one run, by default the newest, as a runs frame; without any, an empty frame with the fixed columns.

    A cell that was run again under the same run id supersedes its earlier rows: the last value of each metric,
    treatment and repeat counts.
    """
    rows = [{k: v for k, v in line.items() if k != "kind"} for line in lines(claim_id) if line["kind"] == "row"]
    wanted = run or (rows[-1]["run"] if rows else None)
    kept = [row for row in rows if row["run"] == wanted]
    names = tuple(dict.fromkeys(key for row in kept for key in row if key not in BEFORE + AFTER))
    frame = _frame(kept, names)
    return frame.drop_duplicates([*BEFORE, *names, "repeat"], keep="last", ignore_index=True)


def environments(claim_id: str) -> dict[str, dict[str, Any]]:
    """Every environment in which this claim was measured, by stamp."""
    return {line["stamp"]: line["environment"] for line in lines(claim_id) if line["kind"] == "environment"}


def treatment_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of a runs frame that say what was varied."""
    return [str(c) for c in frame.columns if c not in BEFORE + AFTER]


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


def _frame(rows: list[Row], treatments: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*BEFORE, *treatments, *AFTER])
    return frame.astype({"repeat": int, "value": float})


def _file(claim_id: str) -> Path:
    return results() / f"{claim_id}.jsonl"


def _environment_line(stamp: str, env: Mapping[str, Any]) -> Row:
    return {"kind": "environment", "stamp": stamp, "environment": env}


def _append(file: Path, lines: list[Row]) -> None:
    """One write, so that two processes do not mix lines; on disk before the caller goes on."""
    block = "".join(json.dumps(line, default=_plain) + "\n" for line in lines).encode()
    try:
        fd = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(fd).st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":
                block = b"\n" + block  # the last writer was killed in mid-line
            while block:  # a disk that gets full takes a part, and refuses the rest
                block = block[os.write(fd, block) :]
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as e:
        raise _unusable(file, e) from e


def _check_file(file: Path) -> None:
    """Raise before anything is measured, when no rows can be added to the file of results."""
    try:
        if os.path.lexists(file):
            os.close(os.open(file, os.O_RDWR | os.O_APPEND))
    except OSError as e:
        raise _unusable(file, e) from e


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's; a level that JSON has no word for (a path) as its text."""
    return value.item() if isinstance(value, np.generic) else str(value)


ROW = dict.fromkeys((*BEFORE, "unit", "started_at", "profile", "run", "stamp"), str)
KINDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "row": {**ROW, "repeat": int, "value": (int, float)},
    "environment": {"stamp": str, "environment": dict},
    DECLINED: {"claim": str, "run": str, "reason": str},
    BROKEN: {"claim": str, "run": str},
}


def lines(claim_id: str) -> Iterator[Row]:
    """Each line of the claim's file, of one of KINDS.  A damaged line is named in a warning and left out; it stays in the file.

    Raises InputError when the file cannot be read.
    """
    file = _file(claim_id)
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return
    except OSError as e:
        raise _unusable(file, e) from e
    for number, text in enumerate(raw.split(b"\n"), 1):
        if not text.strip():
            continue
        line = _line(text)
        if isinstance(line, dict):
            yield line
        else:
            warnings.warn(f"{file.name}:{number} {line}, and is left out", stacklevel=3)


def _line(text: bytes) -> Row | str:
    """The line, or what is wrong with it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "was cut off while it was written, or is damaged"
    fields = KINDS.get(str(found.get("kind"))) if isinstance(found, dict) else None
    if fields is None:
        return "is not a line of results"
    wrong = [name for name, of in fields.items() if not isinstance(found.get(name), of)]
    if found["kind"] == "row":
        wrong += [name for name, value in found.items() if isinstance(value, list | dict)]
    return f"has no {wrong[0]} that can be used" if wrong else dict(found)


def _unusable(file: Path, error: OSError) -> InputError:
    return InputError(
        f"{textfile.shown(file)} cannot be used: {textfile.reason(error)}", hint="correct that, or set KIT_RESULTS"
    )
