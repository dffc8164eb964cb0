"""The names that a notebook has: few, each used, each documented."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from types import ModuleType

import pytest

import kitlib
from kitlib import lazy, measure
from kitlib.paths import ROOT
from tests.contract import names, test_one_way

LIMIT = 25  # of `__all__`; rooms do not count
API = (ROOT / "docs" / "api.md").read_text()
USED = {
    chain.split(".")[1]
    for notebook in test_one_way.NOTEBOOKS
    for chain in names.chains(names.parsed(names.cells(notebook, "code")))
}
IN_SOLUTIONS = {
    chain.split(".")[1]
    for exercise in test_one_way.SOLUTIONS
    for chain in names.chains(names.parsed([exercise.solution()]))
}


def test_all_is_the_public_surface() -> None:
    """`__all__` is sorted and small, and no name of it is a room."""
    assert kitlib.__all__ == sorted(kitlib.__all__)
    assert len(kitlib.__all__) <= LIMIT
    assert kitlib.__all__ == list(kitlib._HOME)
    assert set(kitlib.__all__) & set(kitlib.ROOMS) == set()
    assert dir(kitlib) == sorted([*kitlib.__all__, *kitlib.ROOMS])


@pytest.mark.parametrize("name", kitlib.__all__)
def test_a_name_is_used_and_documented(name: str) -> None:
    """At least one notebook uses it as `kit.NAME`, and `kit.NAME?` explains it."""
    found = getattr(kitlib, name)

    assert callable(found) or isinstance(found, ModuleType)
    assert name in USED
    assert len(inspect.getdoc(found) or "") > len("What it is.")


@pytest.mark.parametrize("room", kitlib.ROOMS)
def test_a_room_is_used(room: str) -> None:
    """A notebook, or the solution of an exercise, reaches something in it."""
    assert isinstance(getattr(kitlib, room), ModuleType)
    assert room in USED | IN_SOLUTIONS


def test_the_documents_list_the_surface() -> None:
    """docs/api.md says of each name and of each room what it is for; the first page or CONTRIBUTING leads to it."""
    listed = re.findall(r"^\| `kit\.(\w+)` \| \S.+ \|$", API, re.MULTILINE)

    assert listed == [*kitlib.__all__, *kitlib.ROOMS]
    assert "(docs/api.md)" in (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()


def test_editors_see_the_names() -> None:
    """What is imported for type checkers is what is loaded on first use."""
    tree = ast.parse((ROOT / "kitlib" / "__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    typed = {
        alias.asname or alias.name: f"{node.module}:{alias.name}".removeprefix("kitlib.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert {name: home.replace(":", ".") for name, home in typed.items()} == {
        name: home.replace(":", ".") for name, home in kitlib._HOME.items()
    }


def test_what_is_measured_has_a_name_of_its_own() -> None:
    """`kit.measure.NAME` is one module: no two parts have a module of the same name, and none is called like a part."""
    counted = Counter([*measure.PARTS, *(m for part in measure.PARTS for m in lazy.within(f"kitlib.measure.{part}"))])

    assert [name for name, count in counted.items() if count > 1] == []
