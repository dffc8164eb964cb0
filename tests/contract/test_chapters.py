"""What a chapter must have: an experiment, a rule, a plot and a verdict for each claim, in the fixed order, in short cells."""

import ast
import re
from typing import Any

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from kitlib import exercises
from kitlib.claims import register as claims
from kitlib.runner.chapters import Chapter, chapters

CELL_LINES = 14
WRITTEN = chapters()
MEASURING = [c for c in WRITTEN if any(claim.chapter == c.name for claim in claims.register())]
ORDER = ["the claims", "bind", "baseline", "treatment", "exercises", "undo", "further reading"]


def _cells(chapter: Chapter, kind: str) -> list[str]:
    notebook: Any = nbformat.read(chapter.path, as_version=4)  # type: ignore[no-untyped-call]
    return [c.source for c in notebook.cells if c.cell_type == kind]


def _timing() -> list[Any]:
    """Claims whose verdict can differ from run to run, and is one of figures."""
    return [c for c in claims.register() if not c.deterministic and c.expected != "not-measurable"]


def _python(cell: str) -> str:
    """A cell as Python: magics and shell lines become calls, also in a block; a cell in another language is empty."""
    return "" if cell.startswith("%%") else TransformerManager().transform_cell(cell)


def _full(value: ast.expr) -> int:
    """How often in `full`, of a number, of {"quick": ..., "full": ...}, or of the latter with [profile]."""
    return int(ast.literal_eval(_branch(value)))


def _branch(value: ast.expr) -> ast.expr:
    """What stands for `full` in {"quick": ..., "full": ...}, with [profile] or without; anything else as it is."""
    value = value.value if isinstance(value, ast.Subscript) else value
    if not isinstance(value, ast.Dict):
        return value
    keys = [ast.unparse(key) for key in value.keys if key]
    return value.values[keys.index("'full'")]


def _assigned(statements: list[ast.AST]) -> dict[str, Any]:
    """The numbers that names stand for in `full`, and under "calls" the experiments by the names of their frames."""
    found: dict[str, Any] = {"calls": {}}
    for node in statements:
        if not isinstance(node, ast.Assign):
            continue
        names = [ast.unparse(n) for n in getattr(node.targets[0], "elts", [node.targets[0]])]
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "kit.experiment":
            found["calls"][names[0]] = node.value
        elif isinstance(node.value, ast.Subscript) and ast.unparse(node.value.slice) == "profile":
            full = _branch(node.value)
            parts = full.elts if isinstance(full, ast.Tuple) else [full]
            found |= {n: part.value for n, part in zip(names, parts, strict=False) if isinstance(part, ast.Constant)}
    return found


@pytest.mark.parametrize("claim", claims.register(), ids=lambda c: c.id)
def test_a_claim_is_measured_plotted_and_judged(claim: claims.Claim) -> None:
    """The claim's chapter binds it to a name, and gives that name an experiment, a plot and a verdict.

    The verdict on what cannot be measured is that it cannot; then the experiment measures what comes closest.
    """
    chapter = next(c for c in WRITTEN if c.name == claim.chapter)
    code = "\n".join(_cells(chapter, "code"))
    name = re.search(rf'^(\w+) = kit\.claim\("{re.escape(claim.id)}"\)', code, re.MULTILINE)
    assert name, f"{chapter.name} does not bind the claim"
    runs = re.search(rf"(\w+) = kit\.experiment\(\s*{name[1]},", code)
    assert runs, f"{chapter.name} has no experiment of the claim"

    assert f"kit.plot({runs[1]}" in code
    judged, declined = f"{name[1]}.verdict({runs[1]})" in code, f"kit.not_measurable({name[1]}, " in code
    assert (judged, declined) == (claim.expected != "not-measurable", claim.expected == "not-measurable")
    assert claim.rule_in_words


@pytest.mark.parametrize("claim", _timing(), ids=lambda c: c.id)
def test_a_verdict_of_full_has_more_than_one_run_per_setting(claim: claims.Claim) -> None:
    """What differs from run to run is measured at least twice in `full`, by every experiment that the verdict looks at."""
    chapter = next(c for c in WRITTEN if c.name == claim.chapter)
    code = [_python(cell) for cell in _cells(chapter, "code")]
    statements = [node for cell in code for node in ast.walk(ast.parse(cell))]
    name = next(
        ast.unparse(n.targets[0])
        for n in statements
        if isinstance(n, ast.Assign) and ast.unparse(n.value) == f"kit.claim({claim.id!r})"
    )
    judged = {
        ast.unparse(n.args[0])
        for n in statements
        if isinstance(n, ast.Call) and ast.unparse(n.func) == f"{name}.verdict"
    }
    known = _assigned(statements)
    repeats = {
        runs: known[ast.unparse(given)] if isinstance(given, ast.Name) else _full(given)
        for runs, call in known["calls"].items()
        for given in [next(k.value for k in call.keywords if k.arg == "repeats")]
        if runs in judged
    }

    assert repeats.keys() == judged
    assert min(repeats.values()) >= 2


@pytest.mark.parametrize("chapter", WRITTEN, ids=lambda c: c.name)
def test_cells_are_short(chapter: Chapter) -> None:
    """A code cell is not empty and stays below 15 lines.  Prose is as long as the reader needs."""
    lengths = [len(cell.splitlines()) for cell in _cells(chapter, "code")]

    assert max(lengths) <= CELL_LINES
    assert min(lengths) > 0


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
