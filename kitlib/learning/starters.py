"""The learner's own folder of a chapter: its starter files are copied into it once, and never overwritten.

A hidden file, GIVEN, keeps the hash of each file as it was given.  So a file that the learner changed differs from one that the kit has
changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kitlib import paths
from kitlib.errors import InputError, SetupError, UsageError, meant
from kitlib.host import textfile

SOURCE = paths.ROOT / "notebooks" / "files"
GIVEN = ".given.json"
KEPT = ".bak"  # the end of the name under which a reset keeps what the learner wrote

State = Literal["as given", "as given by an earlier version", "changed by you", "yours", "missing"]


@dataclass(frozen=True)
class Folder:
    """One chapter's folder.  source: its starter files in the checkout; path: where the learner works."""

    source: Path
    path: Path

    def starters(self) -> dict[str, Path]:
        """The starter files by name."""
        return {file.name: file for file in sorted(self.source.iterdir()) if file.is_file()}

    def names(self) -> list[str]:
        """The starter files, then the learner's own files that are not hidden."""
        starters = self.starters()
        own = sorted(entry.name for entry in self.path.iterdir() if not entry.is_dir() and entry.name[0] != ".")
        return [*starters, *(name for name in own if name not in starters)]

    def lay_out(self) -> None:
        """Copy the starter files that are not there.  A file of that name stays as it is, whatever it holds."""
        given = before = self._given()
        for name, starter in self.starters().items():
            target = self.path / name
            if _written(target, starter) or (name not in given and _hash(target) == _hash(starter)):
                given = {**given, name: _hash(starter)}
        if given != before:
            self._note(given)

    def place(self, name: str) -> Path:
        """Where a file is, or will be.  Raises InputError for a name that leads out of the folder, itself or by a link."""
        if not isinstance(name, str) or not name.isprintable() or name in ("", ".", "..", GIVEN) or "/" in name:
            raise InputError(f"{name!r} is not the name of a file", hint=f"one of {', '.join(self.names())}")
        place = self.path / name
        if not _inside(place, self.path):
            raise InputError(
                f"{textfile.shown(place)} is a link that leads out of the folder", hint=f"files.reset({name!r})"
            )
        return place

    def read(self, name: str) -> str:
        """The text of a file.  Raises InputError when it is not there, or is not text."""
        place = self.place(name)
        if not place.is_file():
            again = f"files.reset({name!r}) brings it back" if name in self.starters() else meant(name, self.names())
            raise InputError(f"{textfile.shown(place)} is not there", hint=again)
        try:
            return textfile.read(place)
        except InputError as e:
            raise InputError(e.message, hint=self.back(name)) from e

    def back(self, name: str) -> str:
        """The next step for a file that is wrong."""
        again = f", or files.reset({name!r}) for the file as it was given" if name in self.starters() else ""
        return f"correct {textfile.shown(self.path / name)}{again}"

    def states(self) -> dict[str, State]:
        """Each file by name, and whether it is as given, changed or the learner's own."""
        given, starters = self._given(), self.starters()
        return {name: self._state(name, starters.get(name), given.get(name)) for name in self.names()}

    def reset(self, name: str) -> bool:
        """Write a starter file again; whether the learner's version is kept beside it.  Raises InputError when it has no starter."""
        starters = self.starters()
        if name not in starters:
            raise InputError(f"{name!r} is no starter file: there is nothing to go back to", hint=meant(name, starters))
        target = self.path / name
        keep = self._state(name, starters[name], self._given().get(name)) in ("changed by you", "yours")
        with _explained(target):
            if keep and not target.is_symlink():
                target.replace(target.with_name(name + KEPT))
            target.unlink(missing_ok=True)
        _written(target, starters[name])
        self._note({**self._given(), name: _hash(starters[name])})
        return keep

    def _state(self, name: str, starter: Path | None, given: str | None) -> State:
        target = self.path / name
        if not os.path.lexists(target):
            return "missing"
        if not _inside(target, self.path) or (starter is None and given is None):
            return "yours"
        found = _hash(target)
        if starter is not None and found == _hash(starter):
            return "as given"
        if given is None:
            return "yours"
        return "as given by an earlier version" if found == given else "changed by you"

    def _given(self) -> Mapping[str, str]:
        """The hashes of what was given; none when the file is missing or damaged."""
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads((self.path / GIVEN).read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return {name: value for name, value in found.items() if isinstance(value, str)}
        return {}

    def _note(self, given: Mapping[str, str]) -> None:
        """Replace the file in one step: two notebooks may do so at once."""
        partial = self.path / f"{GIVEN}.{os.getpid()}"
        with _explained(self.path):
            partial.write_text(json.dumps(dict(sorted(given.items())), indent=1) + "\n", encoding="utf-8")
            partial.replace(self.path / GIVEN)


def folder(chapter: str, work: Path | None = None) -> Folder:
    """A chapter's folder, made when it is missing.  work: of all chapters, by default the learner's.  UsageError: no such chapter."""
    known = sorted(entry.name for entry in SOURCE.iterdir() if entry.is_dir())
    if chapter not in known:
        raise UsageError(f"there are no files for the chapter {chapter!r}", hint=meant(str(chapter), known))
    root = paths.work() if work is None else work
    path = root / chapter
    if path.is_symlink() and not _inside(path, root):
        raise InputError(f"{textfile.shown(path)} is a link that leads elsewhere", hint=f"remove it: rm {path}")
    with _explained(path):
        path.mkdir(parents=True, exist_ok=True)
    return Folder(SOURCE / chapter, path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Map errors of the file system to SetupError with the next step."""
    try:
        yield
    except OSError as e:
        raise SetupError(
            f"{textfile.shown(path)} cannot be written: {textfile.reason(e)}",
            hint="correct that, or set KIT_WORK to a folder of your own",
        ) from e


def _written(target: Path, starter: Path) -> bool:
    """Whether the file was written: not when there is one already, or a link."""
    with _explained(target):
        try:
            with target.open("xb") as file:
                file.write(starter.read_bytes())
        except FileExistsError:
            return False
        target.chmod(target.stat().st_mode | (starter.stat().st_mode & 0o111))
    return True


def _inside(path: Path, folder: Path) -> bool:
    """Whether a path, with its links followed, stays in the folder."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


def _hash(file: Path) -> str:
    """SHA-256 of the content; "" for what cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
