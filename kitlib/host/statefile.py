"""Small JSON files of the state folder that several kernels change at once, such as the answers to questions."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kitlib import paths
from kitlib.errors import KitError, SetupError
from kitlib.host import textfile

PATIENCE = 10.0  # seconds; a write takes milliseconds


@dataclass(frozen=True)
class StateFile:
    """A mapping in a file.  Entries that the reader does not know stay in it.  what: the plural that messages use."""

    name: str
    what: str

    @property
    def path(self) -> Path:
        """Where the file is, or will be."""
        return paths.state_as_it_is() / self.name

    def read(self) -> dict[str, Any]:
        """All entries; none when there is no file.  A damaged file is kept under another name, which a warning gives."""
        try:
            return self._parsed()
        except OSError as e:
            self._warn(f"cannot be read: {textfile.reason(e)}")
        except ValueError:
            self._set_aside()
        return {}

    def update(self, key: str, change: Callable[[Any], Any]) -> None:
        """Replace one entry by `change` of the entry so far, which is None at first.  Raises SetupError when it cannot be kept."""
        try:
            folder = paths.state()
            self.read()  # sets a damaged file aside
            with self._locked():
                self._write(folder / self.name, key, change)
        except (OSError, ValueError, NotImplementedError, KitError) as e:
            raise SetupError(
                f"{self.what} cannot be kept in {textfile.shown(self.path)}: {_reason(e)}",
                hint="make that folder writable, or set KIT_HOME to a folder of your own",
            ) from e

    def _write(self, file: Path, key: str, change: Callable[[Any], Any]) -> None:
        entries = self._parsed()
        entries[key] = change(entries.get(key))
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(entries, indent=1, ensure_ascii=False), encoding="utf-8")
        partial.replace(file)

    def _parsed(self) -> dict[str, Any]:
        """The entries as they are in the file.  Raises ValueError when it is damaged."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if not isinstance(found, dict):
            raise ValueError("not a mapping")
        return found

    def _set_aside(self) -> None:
        """Rename a damaged file, unless another kernel did so in the meantime."""
        try:
            with self._locked():
                with suppress(ValueError):
                    self._parsed()
                    return
                aside = _free(self.path.with_suffix(".damaged"))
                self.path.replace(aside)
        except (OSError, NotImplementedError, KitError) as e:
            self._warn(f"is damaged, and cannot be set aside: {_reason(e)}")
        else:
            self._warn(f"was damaged; it is kept as {aside}, and a new one begins")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with FileLock(self.path.with_suffix(".lock"), timeout=PATIENCE):
            yield

    def _warn(self, problem: str) -> None:
        warnings.warn(f"the file of {self.what} {textfile.shown(self.path)} {problem}", stacklevel=4)


def _free(path: Path) -> Path:
    """The path, or with a number behind it the first one that does not exist."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in range(2, 1000))
    return path if not path.exists() else next(it for it in numbered if not it.exists())


def _reason(error: Exception) -> str:
    if isinstance(error, KitError):
        return error.message
    if isinstance(error, Timeout):
        return "another program holds its lock"
    return textfile.reason(error) if isinstance(error, OSError) else str(error)
