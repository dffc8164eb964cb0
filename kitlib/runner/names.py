"""A name that a cell misses, because its kernel was restarted: the error says that the cells above make it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from kitlib.host import frontend
from kitlib.paths import ROOT

STEP = "next: run the cells above first: Run > Run All Above Selected Cell"
NOTEBOOKS = ROOT / "notebooks"


def install(shell: Any) -> None:
    """Add the step to such an error in this kernel's cells.  Where something else handles errors already, this does nothing."""
    if not shell.custom_exceptions:
        shell.set_custom_exc((NameError,), _explain)


def made(name: str, sources: Iterable[str]) -> bool:
    """Whether the code of a cell makes a variable, a function or a module of this name."""
    word = rf"{re.escape(name)}\b"
    ways = rf"(?:def|class|import|as|for) {word}|(?:[\w*]+, *)*\(?{word}(?:, *[\w*]+)*\)?(?:: [^=]+)? *=(?!=)"
    pattern = re.compile(rf"^(?:{ways})|\b(?:import [\w, ]*|as |for ){word}", re.MULTILINE)
    return any(pattern.search(source) for source in sources)


def _explain(
    shell: Any, kind: type[NameError], error: NameError, trace: TracebackType, tb_offset: int | None = None
) -> None:
    """IPython's own error, with the step below it."""
    if error.name and made(error.name, _cells(_notebooks())):
        error.add_note(STEP)
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _notebooks() -> list[Path]:
    """The notebook that is open; where that is not known, all chapters."""
    opened = frontend.notebook()
    found = [opened, NOTEBOOKS / opened.name] if opened else []
    return [path for path in found if path.is_file()][:1] or sorted(NOTEBOOKS.glob("*.ipynb"))


def _cells(notebooks: Iterable[Path]) -> Iterator[str]:
    for path in notebooks:
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            yield from ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        except (OSError, ValueError, LookupError, TypeError):
            continue  # it is being saved, or it is no notebook: the error itself is what counts
