"""The results of a run as values: read from the executed notebooks, given to the report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

import nbformat
from papermill.exceptions import PapermillExecutionError
from papermill.execute import ERROR_MARKER_TAG

from kitlib.claims.verdict import Verdict
from kitlib.host.stopping import BOUND, Stopped
from kitlib.masking import redact
from kitlib.runner.chapters import Chapter

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BINDS = r"\b(?P<bound>\w+)\s*=\s*kit\.claim\(\s*[\"'](?P<id>[^\"']+)[\"']\s*\)"
_JUDGES = r"\bkit\.claim\(\s*[\"'](?P<at_once>[^\"']+)[\"']\s*\)\.verdict\(|\b(?P<name>\w+)\.verdict\("
_VERDICTS = re.compile(f"{_JUDGES}|{_BINDS}")


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    cell: its index, from 0.  after: the last cell that had run, when none was running.  observed: the cluster's warnings.
    detail: the traceback.  raised: whether the cell itself did, and not what runs it.
    """

    chapter: str
    error: str
    message: str
    cell: int | None = None
    claim: str | None = None
    observed: tuple[str, ...] = ()
    detail: str = ""
    after: int | None = None
    raised: bool = False

    @property
    def place(self) -> str:
        """The chapter, and where in it."""
        if self.cell is not None:
            return f"{self.chapter}, cell {self.cell}"
        if self.after is not None:
            return f"{self.chapter}, after cell {self.after}"
        return f"{self.chapter}, {self.claim}" if self.claim else self.chapter

    @property
    def summary(self) -> str:
        """The place, the error's name and its message, on one line."""
        return f"{self.place}: {self.error}: {self.message}".rstrip(": ")


@dataclass(frozen=True)
class CellRun:
    """One code cell.  index: in the notebook, from 0.  label: its first line.  status: papermill's."""

    index: int
    label: str
    seconds: float
    status: str


@dataclass(frozen=True)
class ChapterRun:
    """An executed chapter.

    figures: the HTML of its plots.  notebook: None when not even a copy could be written.  judged: the claims whose verdict it came to.
    not_run: why it did not start; "" when it did.
    """

    chapter: Chapter
    seconds: float
    cells: tuple[CellRun, ...] = ()
    figures: tuple[str, ...] = ()
    failure: Failure | None = None
    notebook: Path | None = None
    judged: frozenset[str] = frozenset()
    not_run: str = ""

    @property
    def stopped(self) -> str:
        """Where the chapter stopped, in words; "" when it ran to its end."""
        if self.not_run:
            return f"the chapter did not run: {self.not_run}"
        if self.failure is None:
            return ""
        if self.failure.cell is not None:
            return f"the chapter stopped at cell {self.failure.cell}"
        after = self.failure.after
        return (
            "the chapter stopped before its first cell" if after is None else f"the chapter stopped after cell {after}"
        )


@dataclass(frozen=True)
class Run:
    """The result of a run.  started_at: UTC, ISO 8601.  seconds: of all chapters together.  unwritten: why the report could not be."""

    id: str
    profile: str
    started_at: str
    seconds: float
    chapters: tuple[ChapterRun, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    unwritten: str = ""

    @property
    def failed(self) -> bool:
        """Whether a cell failed, or a file of the run could not be written."""
        return bool(self.failures or self.unwritten)


def load(path: Path) -> Any:
    """An executed notebook without the two cells that papermill adds where one failed."""
    nb = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return _unmarked(nb)


def read(chapter: Chapter, nb: Any, path: Path | None, seconds: float, error: BaseException | None) -> ChapterRun:
    """The result of a chapter.  nb: as it was executed, None when it did not begin.  error: what papermill raised."""
    nb = _unmarked(nb) if nb else None
    failure = _failure(chapter, nb, error)
    if nb is None:
        return ChapterRun(chapter, seconds, failure=failure)
    cells = [_cell(index, cell) for index, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    figures = [html for cell in nb.cells for html in _figures(cell)]
    return ChapterRun(chapter, seconds, tuple(cells), tuple(figures), failure, path, frozenset(_judged(nb.cells)))


def _unmarked(nb: Any) -> Any:
    nb.cells = [cell for cell in nb.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])]
    return nb


def plain(text: str) -> str:
    """Without terminal colours and secrets."""
    return redact.mask(_ANSI.sub("", text))


def _cell(index: int, cell: Any) -> CellRun:
    lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
    label = redact.mask(lines[0]) if lines else "(empty)"
    seconds = cell.metadata.get("kit", {}).get("seconds", 0.0)
    return CellRun(index, label, float(seconds), _status(cell))


def _figures(cell: Any) -> list[str]:
    """The HTML of outputs that are one `<figure>`, which is what the kit's views show."""
    bundles = [output.get("data", {}) for output in cell.get("outputs", [])]
    pages = [str(bundle.get("text/html", "")).strip() for bundle in bundles]
    return [page for page in pages if page.startswith("<figure") and page.endswith("</figure>")]


def _judged(cells: Iterable[Any]) -> list[str]:
    """The claims for which a cell that calls `<claim>.verdict(...)` came to its end."""
    names: dict[str, str] = {}
    found: list[str] = []
    for cell in cells:
        for match in _VERDICTS.finditer(cell.source) if cell.cell_type == "code" else ():
            if match["bound"]:
                names[match["bound"]] = match["id"]
            elif _status(cell) == "completed":
                found.append(match["at_once"] or names.get(match["name"], ""))
    return found


def _status(cell: Any) -> str:
    return str(cell.metadata.get("papermill", {}).get("status", "pending"))


def _failure(chapter: Chapter, nb: Any, error: BaseException | None) -> Failure | None:
    if error is None:
        return None
    cells = nb.cells if nb else []
    failed = next((index for index, cell in enumerate(cells) if _status(cell) == "failed"), None)
    code = [index for index, cell in enumerate(cells) if cell.cell_type == "code"]
    ran = [index for index in code if _status(cells[index]) == "completed"]
    if code and ran == code and isinstance(error, KeyboardInterrupt | SystemExit):
        return None  # the run ends here, and the chapter was through
    name, message, detail = _told(error, cells[failed] if failed is not None else None)
    return Failure(
        chapter.name,
        name,
        message,
        cell=failed,
        observed=tuple(nb.metadata.get("kit", {}).get("observed", ())) if nb else (),
        detail=detail,
        after=ran[-1] if ran and failed is None else None,
        raised=isinstance(error, PapermillExecutionError),
    )


def _told(error: BaseException, cell: Any) -> tuple[str, str, str]:
    """Name, message and detail.  A cell that was interrupted says where it was."""
    if isinstance(error, PapermillExecutionError):
        return error.ename, plain(error.evalue), plain("\n".join(error.traceback))
    outputs = cell.get("outputs", []) if cell else []
    detail = plain("\n".join(line for output in outputs if output.output_type == "error" for line in output.traceback))
    if isinstance(error, Stopped) and error.number == BOUND:
        return "timeout", "the bound of the run was reached here; later chapters did not start", detail
    if isinstance(error, KeyboardInterrupt | SystemExit):
        by = f" by {Signals(error.number).name}" if isinstance(error, Stopped) else ""
        return "interrupted", f"the run was stopped here{by}; later chapters did not start", detail
    return type(error).__name__, plain(str(error)), detail
