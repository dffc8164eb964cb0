"""What a chapter must have: an experiment, a rule, a plot and a verdict for each claim, in the fixed order, in short cells."""

import re
import statistics
from typing import Any

import nbformat
import pytest

from kitlib import claims, exercises
from kitlib.chapters import Chapter, chapters

CELL_LINES = 12
MEDIAN_LINES = 3
WRITTEN = chapters()
MEASURING = [c for c in WRITTEN if any(claim.chapter == c.name for claim in claims.register())]
ORDER = ["the claims", "bind", "baseline", "treatment", "exercises", "undo", "further reading"]


def _cells(chapter: Chapter, kind: str) -> list[str]:
    notebook: Any = nbformat.read(chapter.path, as_version=4)  # type: ignore[no-untyped-call]
    return [c.source for c in notebook.cells if c.cell_type == kind]


@pytest.mark.parametrize("claim", claims.register(), ids=lambda c: c.id)
def test_a_claim_is_measured_plotted_and_judged(claim: claims.Claim) -> None:
    """The claim's chapter binds it to a name, and gives that name an experiment, a plot and a verdict."""
    chapter = next(c for c in WRITTEN if c.name == claim.chapter)
    code = "\n".join(_cells(chapter, "code"))
    name = re.search(rf'^(\w+) = kit\.claim\("{re.escape(claim.id)}"\)', code, re.MULTILINE)
    assert name, f"{chapter.name} does not bind the claim"
    runs = re.search(rf"(\w+) = kit\.experiment\(\s*{name[1]},", code)
    assert runs, f"{chapter.name} has no experiment of the claim"

    assert f"kit.plot({runs[1]}" in code
    assert f"{name[1]}.verdict({runs[1]})" in code
    assert claim.rule_in_words


@pytest.mark.parametrize("chapter", WRITTEN, ids=lambda c: c.name)
def test_cells_are_short(chapter: Chapter) -> None:
    """A code cell has at most twelve lines, the middle one at most three; there is a cell of prose for each of code."""
    code = _cells(chapter, "code")
    lengths = [len(cell.splitlines()) for cell in code]

    assert max(lengths) <= CELL_LINES
    assert min(lengths) > 0
    assert statistics.median(lengths) <= MEDIAN_LINES
    assert len(_cells(chapter, "markdown")) >= len(code)


@pytest.mark.parametrize("chapter", MEASURING, ids=lambda c: c.name)
def test_sections_are_in_order(chapter: Chapter) -> None:
    """A measuring chapter goes from claim to undo in the order that every chapter has."""
    titles = re.findall(r"^## (.+)$", "\n".join(_cells(chapter, "markdown")), re.MULTILINE)
    places = [next((i for i, t in enumerate(titles) if t.lower().startswith(wanted)), -1) for wanted in ORDER]

    assert -1 not in places, dict(zip(ORDER, places, strict=True))
    assert places == sorted(places)


@pytest.mark.parametrize("exercise", exercises.ALL.values(), ids=lambda e: e.name)
def test_an_exercise_is_in_its_chapter(exercise: exercises.Exercise) -> None:
    """Each exercise is offered by the chapter it is named after."""
    chapter = next(c for c in WRITTEN if c.name == exercise.name.split("/")[0])

    assert f'kit.exercise("{exercise.name}").panel()' in "\n".join(_cells(chapter, "code"))


def test_prose_has_no_typed_figures() -> None:
    """Prose does not state what was measured: sizes and seconds are computed."""
    figure = re.compile(r"(?<![\w.])\d+(\.\d+)? ?(MB|GB|kB|ms|s)\b")
    for chapter in WRITTEN:
        for text in _cells(chapter, "markdown"):
            assert not figure.search(text), f"{chapter.name}: {figure.search(text)}"
