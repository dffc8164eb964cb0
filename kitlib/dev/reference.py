"""The rows behind the published figures: `docs/rows/<claim>.jsonl.gz`, taken from reports of `./kit run --profile full`.

The file of a claim has the lines that one run wrote for it, with the environments behind their stamps (kitlib/claims/rows.py has
their form).  `runs.json` has one entry per chapter: the run, and the minutes that it took.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from junitparser import JUnitXml

from kitlib import paths
from kitlib.claims import overview, rows
from kitlib.claims import register as claims
from kitlib.claims.register import Claim
from kitlib.claims.verdict import NONE, Verdict
from kitlib.errors import InputError
from kitlib.host import textfile

FOLDER = paths.ROOT / "docs" / "rows"
DIRTY = "+dirty"  # of a commit, by stamp.environment


@dataclass(frozen=True)
class Reference:
    """Kept rows, and what follows from them.  Each lookup raises InputError for a claim without rows."""

    folder: Path = FOLDER

    def file(self, claim: str) -> Path:
        """The file of a claim's rows, whether or not it exists."""
        return self.folder / f"{claim}.jsonl.gz"

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of the register of which there are rows, in its order."""
        return tuple(claim for claim in claims.register() if self.file(claim.id).exists())

    def runs(self, claim: str) -> pd.DataFrame:
        """The rows of a claim as a runs frame."""
        if not self.file(claim).exists():
            raise InputError(f"no rows of {claim} are kept in {textfile.shown(self.folder)}", hint=_how(claim))
        return rows.load(claim, file=self.file(claim))

    def verdict(self, claim: str) -> Verdict:
        """The verdict that follows from the kept rows."""
        self.runs(claim)
        return overview.verdict(claims.claim(claim), file=self.file(claim))

    def environments(self, claim: str) -> dict[str, dict[str, Any]]:
        """The environment behind each stamp of a claim's rows."""
        return rows.environments(claim, file=self.file(claim))

    @property
    def minutes(self) -> Mapping[str, float]:
        """Minutes that each chapter took in the run of its rows."""
        return {chapter: run["minutes"] for chapter, run in self._runs().items()}

    def keep(self, report: Path) -> list[str]:
        """Keep the rows of a report, in place of the earlier ones of the same claims; returns the claims' ids.

        Chapters that did not run to their end are left out.  Raises InputError, and keeps nothing, for a report without rows of other
        chapters, of another profile than full, of a checkout with changes that are not committed, and where a claim has no verdict.
        """
        took = _seconds(report)
        files = [file for file in sorted(report.glob("results/*.jsonl")) if claims.claim(file.stem).chapter in took]
        found = {file.stem: list(rows.lines(file.stem, file=file)) for file in files}
        if not found:
            raise InputError(f"{report} has no rows", hint="it is a folder of ./kit run --profile full -o FOLDER")
        for claim, lines in found.items():
            _check(claims.claim(claim), lines, report / "results" / f"{claim}.jsonl")
        entries = {claims.claim(claim).chapter: _run(lines) for claim, lines in found.items()}
        self.folder.mkdir(exist_ok=True)
        for claim, lines in found.items():
            self.file(claim).write_bytes(_packed(lines))
        timed = {chapter: {"run": run, "minutes": round(took[chapter] / 60, 1)} for chapter, run in entries.items()}
        everything = {**self._runs(), **timed}
        ordered = {it: everything[it] for it in dict.fromkeys(c.chapter for c in claims.register()) if it in everything}
        (self.folder / "runs.json").write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
        return list(found)

    def _runs(self) -> dict[str, Any]:
        file = self.folder / "runs.json"
        return dict(json.loads(textfile.read(file))) if file.exists() else {}


def _check(claim: Claim, lines: Sequence[rows.Row], file: Path) -> None:
    profiles = {line["profile"] for line in lines if line["kind"] == "row"}
    commits = [str(line["environment"].get("kit_commit", "")) for line in lines if line["kind"] == "environment"]
    if profiles - {"full"}:
        raise InputError(f"{claim.id} was measured with the profile quick", hint=_how(claim.id))
    if any(commit.endswith(DIRTY) for commit in commits):
        raise InputError(
            f"{claim.id} was measured with changes that are not committed", hint=f"commit; {_how(claim.id)}"
        )
    verdict = overview.verdict(claim, file=file)
    if verdict.verdict == NONE:
        raise InputError(f"{claim.id} has no verdict: {verdict.reason}", hint=_how(claim.id))


def _how(claim: str) -> str:
    return f"./kit run {claims.claim(claim).chapter} --profile full -o FOLDER, then ./kit results --keep FOLDER"


def _run(lines: Sequence[rows.Row]) -> str:
    return str(next(line["run"] for line in lines if "run" in line))


def _seconds(report: Path) -> dict[str, float]:
    """Seconds that each chapter took that ran to its end: the sum of its cells."""
    try:
        suites = JUnitXml.fromfile(str(report / "junit.xml"))
    except OSError as e:
        raise InputError(
            f"{report} is no report: {textfile.reason(e)}", hint="./kit run --profile full -o FOLDER"
        ) from e
    ended = [suite for suite in suites if not any(case.result for case in suite)]
    return {suite.name: sum(case.time or 0.0 for case in suite) for suite in ended}


def _packed(lines: Sequence[rows.Row]) -> bytes:
    """Lines of JSON, compressed; the same lines give the same bytes, so that git sees no change."""
    return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), mtime=0)
