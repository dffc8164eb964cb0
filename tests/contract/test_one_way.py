"""A notebook has one way into the kit: `import kitlib as kit`.  What it reaches from there exists."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kitlib import exercises
from kitlib.exercises import Exercise
from kitlib.paths import ROOT
from tests.contract import names

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = [exercise for exercise in exercises.ALL.values() if exercise.language == "python"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ONLY = "import kitlib as kit"
NO_NAMES = ("kit.local", "kit.sh", "kit.fish", "kit.run")  # a registry, files of a shell, a name in JUnit


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_the_kit_alone(notebook: Path) -> None:
    """Once, as `kit`, and nothing else of kitlib.  `%load_ext` loads the magics of Go, and gives the notebook no name."""
    assert names.imports(names.parsed(names.cells(notebook, "code"))) == [ONLY]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_notebook_names_exists(notebook: Path) -> None:
    """Each chain `kit.a.b` in its code leads to something, also by an alias."""
    found = names.chains(names.parsed(names.cells(notebook, "code")))

    assert found
    assert unresolved(found) == []


@pytest.mark.parametrize("exercise", SOLUTIONS, ids=lambda exercise: exercise.name)
def test_a_solution_needs_the_kit_alone(exercise: Exercise) -> None:
    """A solution imports nothing of kitlib, and what it names exists."""
    solution = names.parsed([exercise.solution()])

    assert names.imports(solution) == []
    assert unresolved(names.chains(solution)) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_its_prose_names_exists(notebook: Path) -> None:
    """The same for the prose of a notebook."""
    assert amiss("\n".join(names.cells(notebook, "markdown"))) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_names_exists(page: Path) -> None:
    """The same for the documents."""
    assert amiss(page.read_text()) == []


@pytest.mark.parametrize("room", sorted({path.parent for path in (ROOT / "kitlib").rglob("*.py")}), ids=str)
def test_what_a_task_or_a_hint_names_exists(room: Path) -> None:
    """The texts of kitlib name what a notebook has, and never say to import anything else."""
    texts = [text for file in sorted(room.glob("*.py")) for text in names.strings(ast.parse(file.read_text()))]

    assert [problem for text in texts for problem in amiss(text)] == []


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("kit.views.owner_treee.tree(namespace)", ["kit.views.owner_treee", "kit.views.owner_treee.tree"]),
        ("rollout = kit.workloads.rollout\nrollout.udno()", ["kit.workloads.rollout.udno"]),
        ("size = kit.claim('a')\nsize.verdict(1)\nkit.measure.size.size(1)", []),
        ("out = !kubectl get pods\nprint(f'{kit.ap.PORT}')", ["kit.ap", "kit.ap.PORT"]),
    ],
)
def test_a_name_that_does_not_exist_is_found(code: str, wrong: list[str]) -> None:
    """The check itself finds a wrong part of a chain: directly, by an alias, in an f-string, beside a shell line."""
    assert unresolved(names.chains(names.parsed([code]))) == wrong


def unresolved(chains: set[str]) -> list[str]:
    """The chains that lead to nothing."""
    return sorted(chain for chain in chains if not _exists(chain))


def amiss(text: str) -> list[str]:
    """What a text names wrongly: chains that lead to nothing, and imports beside the one."""
    said = {chain for chain in names.IN_PROSE.findall(text) if not chain.startswith(NO_NAMES)}
    deep = [line for line in text.splitlines() if "from kitlib" in line and " import " in line]
    return unresolved(said) + deep


def _exists(chain: str) -> bool:
    try:
        names.resolve(chain)
    except AttributeError:
        return False
    return True
