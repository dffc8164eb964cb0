"""The rows of a claim: the file `results/<claim>.jsonl`, and reading it back as a runs frame.

A runs frame has one row per repeat and metric:
    claim, metric, <one column per treatment>, repeat (from 1), value (float), unit, started_at (UTC, ms),
    profile, run, stamp
The file is append-only.  Its kinds of lines: the environment behind a stamp, rows, that an experiment broke off after the rows
before it, and that the claim cannot be measured here.  A file may be compressed with gzip; then it is only read.

Functions take `file` where the rows are not the learner's own, for instance those behind the published figures.
"""

from __future__ import annotations

import gzip
import json
import os
import warnings
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kitlib.claims.stamp import run_id
from kitlib.errors import InputError
from kitlib.host import textfile
from kitlib.paths import results

DECLINED = "not-measurable"
BROKEN = "broken-off"
BEFORE = ("claim", "metric")
AFTER = ("repeat", "value", "unit", "started_at", "profile", "run", "stamp")

Row = dict[str, Any]


def decline(claim_id: str, reason: str) -> None:
    """Write to the claim's results file that this machine cannot measure the claim, and why."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"kind": DECLINED, "claim": claim_id, "reason": reason, "started_at": at, "run": run_id()}
    append(claim_id, [line])


def declined(claim_id: str, run: str | None = None, *, file: Path | None = None) -> str:
    """Why the claim could not be measured in that run, by default the newest; "" when it was measured, or no reason was given."""
    last = _last(claim_id, run, file)
    return str(last["reason"]) if last.get("kind") == DECLINED else ""


def broke_off(claim_id: str, run: str | None = None, *, file: Path | None = None) -> bool:
    """Whether the newest rows of that run, by default of the newest, come from an experiment that did not end."""
    return _last(claim_id, run, file).get("kind") == BROKEN


def _last(claim_id: str, run: str | None, file: Path | None) -> Row:
    kinds = ("row", DECLINED, BROKEN)
    said = [line for line in lines(claim_id, file=file) if line["kind"] in kinds and run in (None, line.get("run"))]
    return said[-1] if said else {}


def load(claim_id: str, run: str | None = None, *, file: Path | None = None) -> pd.DataFrame:
    """The rows of one run, by default the newest, as a runs frame; without any, an empty frame with the fixed columns.

    A cell that was run again under the same run id supersedes its earlier rows: the last value of each metric,
    treatment and repeat counts.
    """
    rows = [
        {k: v for k, v in line.items() if k != "kind"} for line in lines(claim_id, file=file) if line["kind"] == "row"
    ]
    wanted = run or (rows[-1]["run"] if rows else None)
    kept = [row for row in rows if row["run"] == wanted]
    names = tuple(dict.fromkeys(key for row in kept for key in row if key not in BEFORE + AFTER))
    return frame(kept, names).drop_duplicates([*BEFORE, *names, "repeat"], keep="last", ignore_index=True)


def environments(claim_id: str, *, file: Path | None = None) -> dict[str, dict[str, Any]]:
    """Every environment in which this claim was measured, by stamp."""
    return {line["stamp"]: line["environment"] for line in lines(claim_id, file=file) if line["kind"] == "environment"}


def treatment_columns(runs: pd.DataFrame) -> list[str]:
    """The columns of a runs frame that say what was varied."""
    return [str(c) for c in runs.columns if c not in BEFORE + AFTER]


def frame(rows: list[Row], treatments: tuple[str, ...]) -> pd.DataFrame:
    """Rows as a runs frame, with these treatment columns."""
    made = pd.DataFrame(rows, columns=[*BEFORE, *treatments, *AFTER])
    return made.astype({"repeat": int, "value": float})


def _file(claim_id: str) -> Path:
    return results() / f"{claim_id}.jsonl"


def environment_line(stamp: str, env: Mapping[str, Any]) -> Row:
    """The line that keeps the environment behind a stamp."""
    return {"kind": "environment", "stamp": stamp, "environment": env}


def append(claim_id: str, lines: list[Row]) -> None:
    """One write to the claim's file, so that two processes do not mix lines; on disk before the caller goes on."""
    file = _file(claim_id)
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


def check(claim_id: str) -> None:
    """Raise InputError before anything is measured, when no rows can be added to the claim's file."""
    file = _file(claim_id)
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


def lines(claim_id: str, *, file: Path | None = None) -> Iterator[Row]:
    """Each line of the claim's file, of one of KINDS.  A damaged line is named in a warning and left out; it stays in the file.

    Raises InputError when the file cannot be read.
    """
    file = file or _file(claim_id)
    try:
        raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except FileNotFoundError:
        return
    except (OSError, EOFError, zlib.error) as e:
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


def _unusable(file: Path, error: Exception) -> InputError:
    why = textfile.reason(error) if isinstance(error, OSError) else str(error)
    return InputError(f"{textfile.shown(file)} cannot be used: {why}", hint="correct that, or set KIT_RESULTS")
