"""The token of JupyterLab: made once, and never an empty one, with which the server would ask for none."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from kitlib.errors import SetupError
from kitlib.runner import lab


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    return tmp_path / "lab-token"


def test_a_token_is_kept(file: Path) -> None:
    """The second time it is the same, and only its owner can read it."""
    first = lab.token()

    assert re.fullmatch(r"[0-9a-f]{48}", first)
    assert lab.token() == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "\n", "abc", "a" * 47, "a b" * 16, "\0" * 48, "é" * 48])
def test_a_damaged_token_is_made_anew(file: Path, text: str) -> None:
    """What was cut off or is empty is replaced, and the new one is kept."""
    file.write_text(text)
    made = lab.token()

    assert re.fullmatch(r"[0-9a-f]{48}", made)
    assert (lab.token(), file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (made, made, 0o600)


def test_a_line_end_is_no_part_of_it(file: Path) -> None:
    """A token that an editor has saved with a line end is the same token."""
    file.write_text("0" * 48 + "\n")

    assert lab.token() == "0" * 48


def test_a_folder_is_no_token(file: Path) -> None:
    """What cannot be read is named."""
    file.mkdir()
    with pytest.raises(SetupError, match=f"^{file} cannot be used: is a directory"):
        lab.token()
