"""`./kit run --resume`: the chapters of a run that ended well are kept; those that failed, did not run or have changed are run again.

The report's folder has the run in `run.json` from its beginning on, so that a run that was killed can be resumed too.  A resumed run has
the id of the first one: rows that a chapter measures again supersede those that it measured before (kitlib.claims.rows).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kitlib import paths
from kitlib.errors import InputError, UsageError
from kitlib.host import textfile
from kitlib.runner import executed_notebook
from kitlib.runner.chapters import Chapter
from kitlib.runner.executed_notebook import ChapterRun

FILE = "run.json"
RUNS = paths.ROOT / "runs"


@dataclass
class Begun:
    """A run as its folder has it.

    params: as given.  chapters: the names of those to run.  done: of those that ended well, the seconds and the hash of the notebook.
    """

    id: str
    profile: str
    started_at: str
    chapters: list[str]
    params: dict[str, Any] = field(default_factory=dict)
    done: dict[str, tuple[float, str]] = field(default_factory=dict)

    def note(self, entry: ChapterRun, folder: Path) -> None:
        """Add a chapter that ended well, and write the file.  Raises OSError."""
        if entry.notebook and not entry.stopped:
            self.done[entry.chapter.name] = (entry.seconds, _hash(entry.chapter))
        self.write(folder)

    def write(self, folder: Path) -> None:
        """Raises OSError."""
        textfile.put(folder / FILE, json.dumps(asdict(self), indent=1))

    def kept(self, chapter: Chapter, folder: Path) -> ChapterRun | None:
        """The chapter as it ran before; None when it has to run again."""
        seconds, known = self.done.get(chapter.name, (0.0, ""))
        notebook = folder / chapter.path.name
        if known != _hash(chapter) or not notebook.is_file():
            return None
        return executed_notebook.read(chapter, executed_notebook.load(notebook), notebook, seconds, None)


def read(folder: Path) -> Begun:
    """The run that a folder has.  Raises UsageError when it has none, InputError when its file is damaged."""
    file = folder / FILE
    if not file.is_file():
        raise UsageError(f"{textfile.shown(folder)} has no run that can be resumed", hint="./kit run begins a new one")
    try:
        found = json.loads(textfile.read(file))
        done = {str(name): (float(seconds), str(known)) for name, (seconds, known) in found["done"].items()}
        return Begun(**{**found, "done": done})
    except (ValueError, TypeError, LookupError, AttributeError) as e:
        raise InputError(f"{textfile.shown(file)} is damaged: {e}", hint="./kit run begins a new run") from e


def newest() -> Path:
    """The folder of the last run that `./kit run` has put into `runs/`.  Raises UsageError when there is none."""
    found = sorted(file.parent for file in RUNS.glob(f"*/{FILE}"))
    if not found:
        raise UsageError(
            "there is no run that can be resumed", hint="./kit run begins one; -o names the folder of another"
        )
    return found[-1]


def _hash(chapter: Chapter) -> str:
    return hashlib.sha256(chapter.path.read_bytes()).hexdigest()
