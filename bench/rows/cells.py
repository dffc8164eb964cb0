"""Row 6: what a headless run adds to each cell: papermill with the kit's engine against papermill with its default engine.

A cell takes the time from its start to the start of the next, the median of a notebook of trivial cells; overhead is what that is beyond
what the bare notebook client (nbclient) needs for the same notebook in the same process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

from bench.rows.common import PYTHON, run
from kitlib.dev.bench import Group, Row, Values
from kitlib.host import stats

CELLS = 40


@contextmanager
def group() -> Iterator[Group]:
    """Each trial is a new process: what one engine leaves behind cannot serve the other."""
    yield Group(
        arms={"ours": lambda: _process("kit"), "papermill": lambda: _process("nbclient")},
        rows=[
            Row(
                "6",
                "overhead a notebook cell",
                "papermill's default engine",
                "overhead",
                "s",
                0.2,
                peers=("papermill",),
            )
        ],
        notes=_notes,
    )


def _process(engine: str) -> Values:
    overhead, bare = run(PYTHON, "-m", "bench.rows.cells", engine).split()[-2:]
    return {"overhead": float(overhead), "bare": float(bare)}


def main(engine: str) -> None:
    """Print seconds a cell: the engine's overhead, and what the bare client needs."""
    with TemporaryDirectory() as tmp:
        file = _notebook(Path(tmp) / "trivial.ipynb")
        bare = _bare(file)
        print(_by_papermill(file, engine) - bare, bare)


def _by_papermill(file: Path, engine: str) -> float:
    """papermill notes in each cell when it began, whatever the engine."""
    import papermill

    done = papermill.execute_notebook(file, file.with_suffix(".out.ipynb"), engine_name=engine, progress_bar=False)
    return _period([datetime.fromisoformat(c.metadata.papermill.start_time).timestamp() for c in done.cells])


def _bare(file: Path) -> float:
    from nbclient import NotebookClient

    starts: list[float] = []
    NotebookClient(
        nbformat.read(file, as_version=4),  # type: ignore[no-untyped-call]
        on_cell_start=lambda **_: starts.append(time.perf_counter()),
    ).execute()
    return _period(starts)


def _period(starts: Sequence[float]) -> float:
    return stats.median([later - earlier for earlier, later in pairwise(starts)])


def _notebook(file: Path) -> Path:
    made = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(f"x = {i}") for i in range(CELLS)],  # type: ignore[no-untyped-call]
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(made, file)  # type: ignore[no-untyped-call]
    return file


def _notes(trials: Mapping[str, list[Values]]) -> str:
    bare = stats.median([t["bare"] for of in trials.values() for t in of])
    return f"6: the cell itself, kernel and client, takes {bare * 1000:.1f} ms."


if __name__ == "__main__":
    main(*sys.argv[1:])
