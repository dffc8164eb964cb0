"""Programs that come as Python wheels: the version that is installed, and the commands that it brought."""

from __future__ import annotations

import shutil
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

from kitlib.errors import SetupError
from kitlib.host import buildcontext


def version(name: str) -> str:
    """The installed version.  Raises SetupError when the package is not in the virtual environment."""
    return _installed(name).version


def copy_commands(name: str, folder: Path) -> Path:
    """Copy a package's commands into a new folder, and return it: a build context must not be the whole virtual environment."""
    folder.mkdir()
    for file in _installed(name).files or ():
        if file.parent.name == "bin":
            shutil.copy(str(file.locate()), folder)
    if not any(folder.iterdir()):
        raise SetupError(f"the package {name} has no commands for this machine")
    return buildcontext.level(folder)


def _installed(name: str) -> Distribution:
    try:
        return Distribution.from_name(name)
    except PackageNotFoundError:
        raise SetupError(
            f"the package {name} is not in the virtual environment", hint="remove .venv and run ./kit again"
        ) from None
