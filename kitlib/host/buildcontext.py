"""File modes in a build context: group and others get the owner's permissions except to write, whatever the user's umask is.

BuildKit copies modes as they are on the disk, and git and uv write files by the umask: with 077, the image's user could not
run its program, and with 002 its layers would differ.  COPY --chmod cannot say "as the owner" before Dockerfile 1.14.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def mode(found: int) -> int:
    """The permission bits that a file or folder gets: 0600 → 0644, 0775 → 0755, 0444 stays."""
    owner = stat.S_IMODE(found) & 0o7700
    return owner | (owner & 0o500) >> 3 | (owner & 0o500) >> 6


def level(folder: Path) -> Path:
    """Give everything in a folder of the kit's own these modes, and the folder itself; returns it."""
    for path in _entries(folder):
        found = path.lstat().st_mode
        if not _is_plain(found):
            path.chmod(mode(found))
    return folder


@contextmanager
def plain(context: Path, named: Mapping[str, Path]) -> Iterator[tuple[Path, dict[str, Path]]]:
    """A build's contexts with these modes, while the block runs: the folders themselves where they have them, else copies."""
    with TemporaryDirectory(prefix="kit-context-") as tmp:

        def copied(folder: Path, name: str) -> Path:
            if not folder.is_dir() or all(_is_plain(path.lstat().st_mode) for path in _entries(folder)):
                return folder
            return level(shutil.copytree(folder, Path(tmp) / name, symlinks=True))

        yield copied(context, "main"), {name: copied(folder, f"named-{name}") for name, folder in named.items()}


def _is_plain(found: int) -> bool:
    return stat.S_ISLNK(found) or stat.S_IMODE(found) == mode(found)


def _entries(folder: Path) -> Iterator[Path]:
    """The folder, and all that is in it; what a link leads to is not."""
    yield folder
    for top, folders, files in os.walk(folder):
        yield from (Path(top, name) for name in (*folders, *files))
