"""Measure treatments in interleaved rounds; keep every value in `results/<claim>.jsonl`; read them back as a frame.

A runs frame has one row a repeat and metric:
    claim, metric, <one column a treatment>, repeat (from 1), value (float), unit, started_at (UTC, ms),
    profile, run, stamp
The file is append-only, with two kinds of lines: the environment behind a stamp, and rows.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from kitlib.errors import UsageError
from kitlib.paths import results
from kitlib.stamp import environment, run_id, stamp_id

if TYPE_CHECKING:
    from kitlib.claims import Claim

PROFILES = ("quick", "full")
BEFORE = ("claim", "metric")
AFTER = ("repeat", "value", "unit", "started_at", "profile", "run", "stamp")

Value = float | Mapping[str, float]
Measure = Callable[..., Value]
Batch = Callable[[list[dict[str, Any]]], Sequence[Value]]
Row = dict[str, Any]
Trial = tuple[int, dict[str, Any]]  # repeat, treatment


def experiment(
    claim: Claim,
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
    with `units` giving metric -> unit.  A metric it leaves out has no row.  repeats: a number, or one a profile.
    Each round runs every combination once, in an order shuffled by `seed`, so that drift falls on all treatments alike.
    extra: joins the environment's stamp, for instance the bases that the images stand on.
    batch: all trials go side by side, for what mostly waits: `measure(trials)` is called once, with one dict a trial, and
    returns as many values in the same order.
    Whatever `measure` raises comes through, after the rows so far are in the results file.
    """
    profile = _profile(profile)
    treatments = _combinations(over)
    trials = _trials(treatments, _repeats(repeats, profile), seed)
    calls = [trials] if batch else [[trial] for trial in trials]
    env = environment(extra)
    same = {"profile": profile, "run": run_id(), "stamp": stamp_id(env)}
    known = {claim.metric: unit or claim.unit, **(units or {})}
    rows: list[Row] = []
    line = _ProgressLine.show(total=len(trials), rounds=trials[-1][0])
    try:
        for call in calls:
            line.update(call)
            started = datetime.now(UTC).isoformat(timespec="milliseconds")
            for (repeat, treatment), measured in zip(call, _measured(measure, call, batch=batch), strict=True):
                for metric, value, its_unit in _values(measured, claim.metric, known):
                    what = {"claim": claim.id, "metric": metric, **treatment, "repeat": repeat}
                    rows.append(what | {"value": value, "unit": its_unit, "started_at": started, **same})
    finally:
        if rows:
            _append(_file(claim.id), [_environment_line(same["stamp"], env), *({"kind": "row", **row} for row in rows)])
        line.done(len(rows))
    return _frame(rows, tuple(over))


def load(claim_id: str, run: str | None = None) -> pd.DataFrame:
    """The rows of one run, by default the newest, as a runs frame; without any, an empty frame with the fixed columns.

    A cell that was run again under the same run id supersedes its earlier rows: the last value of each metric,
    treatment and repeat counts.
    """
    rows = [{k: v for k, v in line.items() if k != "kind"} for line in _lines(claim_id) if line["kind"] == "row"]
    wanted = run or (rows[-1]["run"] if rows else None)
    kept = [row for row in rows if row["run"] == wanted]
    names = tuple(dict.fromkeys(key for row in kept for key in row if key not in BEFORE + AFTER))
    frame = _frame(kept, names)
    return frame.drop_duplicates([*BEFORE, *names, "repeat"], keep="last", ignore_index=True)


def environments(claim_id: str) -> dict[str, dict[str, Any]]:
    """Every environment that this claim was measured in, by stamp."""
    return {line["stamp"]: line["environment"] for line in _lines(claim_id) if line["kind"] == "environment"}


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
            f"no repeats for the profile {profile!r}", hint="repeats= is a number from 1, or one a profile"
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
        raise UsageError(f"{len(call)} trials gave {len(found)} values", hint="a batch returns one value a trial")
    return found


def _values(
    measured: float | Mapping[str, float], metric: str, units: Mapping[str, str]
) -> Iterator[tuple[str, float, str]]:
    for name, value in (measured if isinstance(measured, Mapping) else {metric: measured}).items():
        if name not in units:
            raise UsageError(f"the metric {name!r} has no unit", hint=f"units={{{name!r}: ...}} in kit.experiment")
        if not math.isfinite(value):
            raise UsageError(f"{name} came out as {value}", hint="leave out of the mapping what could not be measured")
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
    fd = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            block = b"\n" + block  # the last writer was killed in mid-line
        os.write(fd, block)
        os.fsync(fd)
    finally:
        os.close(fd)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's; a level that JSON has no word for (a path) as its text."""
    return value.item() if isinstance(value, np.generic) else str(value)


def _lines(claim_id: str) -> Iterator[Row]:
    file = _file(claim_id)
    if not file.exists():
        return
    for number, text in enumerate(file.read_bytes().splitlines(), 1):
        try:
            line = json.loads(text)
        except ValueError:
            warnings.warn(f"{file.name}:{number} was cut off while it was written, and is left out", stacklevel=3)
            continue
        yield line


@dataclass
class _ProgressLine:
    """One line in the notebook that is rewritten; nothing outside a kernel."""

    total: int
    rounds: int
    handle: Any
    started: float
    count: int = 0

    @classmethod
    def show(cls, total: int, rounds: int) -> _ProgressLine:
        return cls(total, rounds, _display("measuring ..."), time.monotonic())

    def update(self, call: list[Trial]) -> None:
        self.count += len(call)
        repeat, treatment = call[0]
        what = " ".join(f"{k}={v}" for k, v in treatment.items())
        one = f"round {repeat}/{self.rounds}  {what}  ({self.count} of {self.total})"
        self._write(one if len(call) == 1 else f"{len(call)} trials side by side")

    def done(self, rows: int) -> None:
        took = time.monotonic() - self.started
        self._write(f"{self.count} of {self.total} measurements, {rows} values, in {took:.1f} s")

    def _write(self, text: str) -> None:
        if self.handle is not None:
            self.handle.update({"text/plain": text}, raw=True)


def _display(text: str) -> Any:
    """A display handle, or None outside a kernel.  IPython is imported only there: it costs a plain process 0.3 s."""
    import sys

    if "ipykernel" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    in_kernel = shell is not None and hasattr(shell, "kernel")
    return display({"text/plain": text}, raw=True, display_id=True) if in_kernel else None
