"""The chapters, one notebook per chapter, in reading order.  A broken notebook is listed as such, and hides no other one."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitlib.errors import InputError, UsageError, meant
from kitlib.host import textfile
from kitlib.paths import ROOT

FOLDER = ROOT / "notebooks"
LAST = "9-verdicts"  # it reads the results of the others
FORMAT = 4  # of notebooks, since 2015
_CLAIM = re.compile(r"\bkit\.claim\(\s*[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Chapter:
    """A notebook.  name: its file's, without suffix.  claims: the ids it names in `kit.claim("...")`, in order.

    problem: why it cannot be run, with its file, in one line; empty when it can.
    """

    name: str
    path: Path
    title: str
    claims: tuple[str, ...]
    problem: str = ""

    def check(self) -> None:
        """Raise InputError, with the next step, when the notebook is broken."""
        if self.problem:
            raise InputError(self.problem, hint=textfile.restore(self.path))


def chapters(folder: Path = FOLDER) -> list[Chapter]:
    """Every notebook in the folder in reading order: 0, 1, 2.1, 2.10, ..., and the verdicts last.

    The template is not a chapter, nor are hidden files and the checkpoints that editors leave beside a notebook.
    """
    paths = [path for path in folder.glob("*.ipynb") if path.stem != "template" and not _left_behind(path)]
    return [_chapter(path) for path in sorted(paths, key=lambda path: _order(path.stem))]


def resolve(names: Sequence[str], known: Iterable[Chapter] | None = None) -> list[Chapter]:
    """The chapters of these names, sections or beginnings of names ("2.3"), in reading order; all of them when none is named.

    Raises UsageError, with the list of chapters, when a name fits none or several; InputError when one of them is broken.
    """
    known = list(chapters() if known is None else known)
    wanted = {_match(_name(name), known) for name in names}
    chosen = [chapter for chapter in known if not names or chapter.name in wanted]
    for chapter in chosen if names else ():
        chapter.check()
    return chosen


def listing(known: Iterable[Chapter], about: Mapping[str, str] | None = None) -> list[str]:
    """One line per chapter: its name, and what is wrong with it, or else its text in `about`, by name, or its title."""
    texts = about or {}
    return [f"{c.name:24} " + (f"✗ {c.problem}" if c.problem else texts.get(c.name, c.title)) for c in known]


def _name(word: str) -> str:
    """The chapter's name in a word of the command line, which a shell may have completed to the notebook's path."""
    path = Path(word.removesuffix(".ipynb"))
    return path.name if "/" in word and path.resolve().parent == FOLDER else word.removesuffix(".ipynb")


def _match(name: str, known: Sequence[Chapter]) -> str:
    names = [c.name for c in known]
    fits = (
        [n for n in names if n == name]
        or [n for n in names if name and _section(n) == name]
        or [n for n in names if n.startswith(name)]
    )
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise UsageError(f"{name!r} fits {', '.join(fits)}", hint="write more of the name", observed=listing(known))
    hint = meant(name, names, "one of the chapters above")
    raise UsageError(f"no chapter is called {textfile.one_line(repr(name))}", hint=hint, observed=listing(known))


def _section(name: str) -> str:
    found = re.match(r"\d+(?:\.\d+)*", name)
    return found[0] if found else ""


def _order(name: str) -> tuple[bool, list[int], str]:
    numbers = [int(part) for part in _section(name).split(".") if part]
    return (name == LAST, numbers or [10**6], name)


def _left_behind(path: Path) -> bool:
    return path.name.startswith(".") or path.stem.endswith("-checkpoint")


def _chapter(path: Path) -> Chapter:
    try:
        notebook = _notebook(path)
    except InputError as e:
        return Chapter(path.stem, path, path.stem, _claims([_raw(path)]), e.message)
    cells = notebook["cells"]
    title = next(_headings(cells), path.stem)
    claims = _claims(_source(cell) for cell in cells if cell["cell_type"] == "code")
    return Chapter(path.stem, path, title, claims, "" if _kernel(notebook) else f"{_place(path)} names no kernel")


def _notebook(path: Path) -> Mapping[str, Any]:
    """The notebook as papermill will read it.  Raises InputError when it is not a notebook.

    Read without the nbformat package, which takes longer than everything else here, and raises errors of many types.
    """
    text = textfile.read(path)
    try:
        found = json.loads(text)
    except ValueError as e:
        what = f", line {e.lineno}: {e.msg.lower()}" if isinstance(e, json.JSONDecodeError) and text.strip() else ""
        raise InputError(f"{_place(path)} is {'not JSON' if text.strip() else 'empty'}{what}") from e
    except RecursionError:
        raise InputError(f"{_place(path)} is nested too deeply") from None
    if path.read_bytes().startswith(BOM_UTF8):
        raise InputError(f"{_place(path)} begins with a byte order mark, which papermill does not read")
    if problem := _problem(found):
        raise InputError(f"{_place(path)} {problem}")
    return dict(found)


def _problem(found: Any) -> str:
    if not isinstance(found, dict) or not ({"nbformat", "cells"} & found.keys()):
        return "is JSON, but not a notebook"
    if found.get("nbformat") != FORMAT:
        return f"is a notebook of format {found.get('nbformat')!r}, where {FORMAT} is needed"
    if not isinstance(found.get("metadata"), dict):
        return "has no metadata"
    if not isinstance(found.get("cells"), list):
        return "has no cells"
    wrong = next((i for i, cell in enumerate(found["cells"]) if not _is_cell(cell)), None)
    return "" if wrong is None else f"is broken at cell {wrong}"


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata"), dict):
        return False
    if cell.get("cell_type") not in ("code", "markdown", "raw"):
        return False
    if not isinstance(cell.get("outputs", []), list):
        return False
    source = cell.get("source")
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def _kernel(notebook: Mapping[str, Any]) -> bool:
    spec = notebook["metadata"].get("kernelspec")
    return isinstance(spec, dict) and isinstance(spec.get("name"), str) and bool(spec["name"])


def _claims(sources: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for source in sources for found in _CLAIM.findall(source)))


def _raw(path: Path) -> str:
    """The text of a broken notebook: the claims that can be seen in it are not measured, and the report has to say so."""
    try:
        return path.read_text(errors="replace").replace('\\"', '"')
    except OSError:
        return ""


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _headings(cells: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for cell in cells:
        if cell["cell_type"] == "markdown":
            yield from re.findall(r"^#+\s+(.+?)\s*#*$", _source(cell), re.MULTILINE)


def _place(path: Path) -> str:
    return textfile.shown(path)
