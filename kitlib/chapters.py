"""The chapters: one notebook each, in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from kitlib.errors import UsageError
from kitlib.paths import ROOT

FOLDER = ROOT / "notebooks"
LAST = "9-verdicts"  # it reads what the others measured
_CLAIM = re.compile(r"\bkit\.claim\(\s*[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Chapter:
    """A notebook.  name: its file's, without suffix.  claims: the ids it names in `kit.claim("...")`, in order."""

    name: str
    path: Path
    title: str
    claims: tuple[str, ...]


def chapters(folder: Path = FOLDER) -> list[Chapter]:
    """Every notebook in the folder but the template, in reading order: 0, 1, 2.1, 2.10, ..., and the verdicts last."""
    paths = [path for path in folder.glob("*.ipynb") if path.stem != "template"]
    return [_chapter(path) for path in sorted(paths, key=lambda path: _order(path.stem))]


def resolve(names: Sequence[str], known: Iterable[Chapter] | None = None) -> list[Chapter]:
    """The chapters of these names or beginnings of names ("2.3"), in reading order; all of them when none is named.

    Raises UsageError, with the list of chapters, when a name fits none or several.
    """
    known = list(chapters() if known is None else known)
    wanted = {_match(name.removesuffix(".ipynb"), known) for name in names}
    return [chapter for chapter in known if not names or chapter.name in wanted]


def _match(name: str, known: Sequence[Chapter]) -> str:
    fits = [c.name for c in known if c.name == name] or [c.name for c in known if c.name.startswith(name)]
    if len(fits) == 1:
        return fits[0]
    listing = [f"{c.name:24} {c.title}" for c in known]
    if fits:
        raise UsageError(f"{name!r} fits {', '.join(fits)}", hint="write more of the name", observed=listing)
    raise UsageError(f"no chapter is called {name!r}", hint="one of the chapters above", observed=listing)


def _order(name: str) -> tuple[bool, list[int], str]:
    section = re.match(r"[\d.]*", name)
    numbers = [int(part) for part in (section[0] if section else "").split(".") if part]
    return (name == LAST, numbers or [10**6], name)


def _chapter(path: Path) -> Chapter:
    cells: list[Any] = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    called = (found for cell in cells if cell.cell_type == "code" for found in _CLAIM.findall(cell.source))
    title = next(_headings(cells), path.stem)
    return Chapter(path.stem, path, title, tuple(dict.fromkeys(called)))


def _headings(cells: Iterable[Any]) -> Iterator[str]:
    for cell in cells:
        if cell.cell_type == "markdown":
            yield from re.findall(r"^#+\s+(.+?)\s*#*$", cell.source, re.MULTILINE)
