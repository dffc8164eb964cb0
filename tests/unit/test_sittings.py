"""A long chapter is cut into sittings at its headings."""

import json
from pathlib import Path
from typing import Any

import pytest

from kitlib.learning import header
from kitlib.learning.sittings import MOST, Sitting, sittings


def _written(folder: Path, *sections: tuple[str, int]) -> Path:
    """A notebook with a section for each heading, each with so many words."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": f"## {heading}\n\n{'word ' * words}"} for heading, words in sections
    ]
    file = folder / "chapter.ipynb"
    file.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": "# Chapter"}, *cells]}))
    return file


def test_a_short_chapter_is_one_sitting(tmp_path: Path) -> None:
    """It begins with the chapter, and has all of its minutes."""
    assert sittings(_written(tmp_path, ("One", 100), ("Two", 300)), MOST) == (Sitting("", MOST),)


def test_sections_share_the_minutes(tmp_path: Path) -> None:
    """Sittings are as few and as even as the headings allow."""
    file = _written(tmp_path, ("One", 900), ("Two", 300), ("Three", 600))

    assert sittings(file, 60) == (Sitting("", 30), Sitting("Two", 30))


def test_no_sitting_is_too_long_where_a_heading_can_prevent_it(tmp_path: Path) -> None:
    """Three sittings where two would be uneven."""
    file = _written(tmp_path, ("One", 600), ("Two", 600), ("Three", 600))

    assert [part.minutes for part in sittings(file, 90)] == [30, 30, 30]


def test_exercises_weigh_more_than_cells(tmp_path: Path) -> None:
    """The section with an exercise is a sitting of its own."""
    exercise = {"cell_type": "code", "source": 'kit.exercise("1/one").panel()'}
    plain = {"cell_type": "code", "source": "1 + 1"}
    headings = [{"cell_type": "markdown", "source": f"## {name}"} for name in ("One", "Two", "Three")]
    file = tmp_path / "chapter.ipynb"
    file.write_text(json.dumps({"cells": [headings[0], plain, headings[1], plain, headings[2], exercise]}))

    assert [part.begins for part in sittings(file, 50)] == ["", "Three"]


@pytest.mark.parametrize("minutes", [46, 90, 200])
def test_one_section_cannot_be_cut(tmp_path: Path, minutes: int) -> None:
    """A chapter without headings stays whole."""
    file = tmp_path / "chapter.ipynb"
    file.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": "# Chapter\n\nword"}]}))

    assert sittings(file, minutes) == (Sitting("", minutes),)


def test_the_header_names_the_pauses() -> None:
    """Each later sitting by its heading, and how to go on."""
    said = header.pauses([Sitting("", 40), Sitting("Exercises", 35)])

    assert said == f"In 2 sittings: 40 min, 35 min from “Exercises”. {header.LATER}"
