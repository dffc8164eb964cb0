import os
from pathlib import Path

import pytest

from kitlib.errors import SetupError
from kitlib.supply.packages import wheels


def test_a_wheels_commands_are_copied(tmp_path: Path) -> None:
    """A folder with the commands of one package and nothing else of the virtual environment; they can be executed."""
    folder = wheels.copy_commands("ruff", tmp_path / "ruff")

    assert [f.name for f in folder.iterdir()] == ["ruff"]
    assert os.access(folder / "ruff", os.X_OK)
    assert wheels.version("ruff").count(".") == 2


def test_a_package_without_commands(tmp_path: Path) -> None:
    """An empty build context would fail later, and in other words."""
    with pytest.raises(SetupError, match="pyyaml has no commands"):
        wheels.copy_commands("pyyaml", tmp_path / "pyyaml")


def test_a_package_that_is_not_there() -> None:
    """The error names the package and the next step."""
    with pytest.raises(SetupError, match="no-such-package is not in the virtual environment"):
        wheels.version("no-such-package")
