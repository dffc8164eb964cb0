"""What a run leaves behind, as values: read from the executed notebooks, given to the report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from papermill.exceptions import PapermillExecutionError
from papermill.execute import ERROR_MARKER_TAG

from kitlib import redact
from kitlib.chapters import Chapter
from kitlib.verdict import Verdict

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Failure:
    """Why a run failed.  cell: its index, from 0.  observed: what the cluster said.  detail: the traceback."""

    chapter: str
    error: str
    message: str
    cell: int | None = None
    claim: str | None = None
    observed: tuple[str, ...] = ()
    detail: str = ""

    @property
    def summary(self) -> str:
        place = f", cell {self.cell}" if self.cell is not None else f", {self.claim}" if self.claim else ""
        return f"{self.chapter}{place}: {self.error}: {self.message}".rstrip(": ")


@dataclass(frozen=True)
class CellRun:
    """One code cell.  index: in the notebook, from 0.  label: its first line.  status: papermill's."""

    index: int
    label: str
    seconds: float
    status: str


@dataclass(frozen=True)
class ChapterRun:
    """An executed chapter.  figures: the HTML of its plots.  notebook: None when not even a copy could be written."""

    chapter: Chapter
    seconds: float
    cells: tuple[CellRun, ...] = ()
    figures: tuple[str, ...] = ()
    failure: Failure | None = None
    notebook: Path | None = None


@dataclass(frozen=True)
class Run:
    """What a run found.  started_at: UTC, ISO 8601.  seconds: of all chapters together."""

    id: str
    profile: str
    started_at: str
    seconds: float
    chapters: tuple[ChapterRun, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]

    @property
    def failed(self) -> bool:
        return bool(self.failures)


def load(path: Path) -> Any:
    """An executed notebook without the two cells that papermill adds where one failed."""
    nb = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nb.cells = [cell for cell in nb.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])]
    return nb


def read(chapter: Chapter, path: Path, seconds: float, error: BaseException | None) -> ChapterRun:
    """What happened in a chapter, from its executed notebook and from what papermill raised."""
    if not path.exists():
        return ChapterRun(chapter, seconds, failure=_failure(chapter, None, error))
    nb = load(path)
    cells = [_cell(index, cell) for index, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    figures = [html for cell in nb.cells for html in _figures(cell)]
    return ChapterRun(chapter, seconds, tuple(cells), tuple(figures), _failure(chapter, nb, error), path)


def plain(text: str) -> str:
    """Without terminal colours and secrets."""
    return redact.mask(_ANSI.sub("", text))


def _cell(index: int, cell: Any) -> CellRun:
    lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
    label = redact.mask(lines[0]) if lines else "(empty)"
    seconds = cell.metadata.get("kit", {}).get("seconds", 0.0)
    return CellRun(index, label, float(seconds), str(cell.metadata.get("papermill", {}).get("status", "pending")))


def _figures(cell: Any) -> list[str]:
    """The HTML of outputs that are one `<figure>`, which is what kitlib/plots shows."""
    bundles = [output.get("data", {}) for output in cell.get("outputs", [])]
    pages = [str(bundle.get("text/html", "")).strip() for bundle in bundles]
    return [page for page in pages if page.startswith("<figure") and page.endswith("</figure>")]


def _failure(chapter: Chapter, nb: Any, error: BaseException | None) -> Failure | None:
    if error is None:
        return None
    observed = tuple(nb.metadata.get("kit", {}).get("observed", ())) if nb else ()
    name, message, detail = type(error).__name__, plain(str(error)), ""
    if isinstance(error, PapermillExecutionError):
        name, message, detail = error.ename, plain(error.evalue), plain("\n".join(error.traceback))
    elif isinstance(error, KeyboardInterrupt | SystemExit):
        name, message = "interrupted", "the run was stopped here; later chapters did not start"
    return Failure(chapter.name, name, message, cell=_failed_cell(nb), observed=observed, detail=detail)


def _failed_cell(nb: Any) -> int | None:
    for index, cell in enumerate(nb.cells if nb else ()):
        if cell.metadata.get("papermill", {}).get("status") == "failed":
            return index
    return None
