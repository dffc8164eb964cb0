"""The tree of kitlib can be read: few files in its root, and a room says what it is for.  `lint-imports` holds the arrows between rooms."""

from __future__ import annotations

import ast

import pytest

from kitlib.paths import ROOT

KITLIB = ROOT / "kitlib"
MOST = 6  # files in the root
ROOMS = sorted(folder.parent for folder in KITLIB.rglob("__init__.py") if folder.parent != KITLIB)


def test_the_root_has_few_files() -> None:
    """What is not the surface, the command line, the errors or the paths lies in a room."""
    files = sorted(file.name for file in KITLIB.iterdir() if file.is_file())

    assert len(files) <= MOST, files


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(KITLIB)))
def test_a_room_says_what_it_is_for(room: object) -> None:
    """Each package's docstring begins with one sentence."""
    text = (KITLIB / str(room) / "__init__.py").read_text()
    said = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]

    assert len(said) > len("What it is."), room
    assert said[-1] in ".:", said
