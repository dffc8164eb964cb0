"""Parameters are text, unless the notebook says otherwise by its own default."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import nbformat
import pytest

from kitlib.errors import UsageError
from kitlib.runner import parameters
from kitlib.runner.chapters import Chapter, chapters

new: Any = nbformat.v4
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
OWN = """profile = "quick"
repeats = 1
limit: float = 2.5
fast = False
tag = "latest"
maybe = None
sizes = [1,
         2]
labels = {"a": 1}
when = len("x")"""


@pytest.fixture
def chosen(tmp_path: Path) -> list[Chapter]:
    for name, source in {"0-all": OWN, "1-few": 'profile = "quick"'}.items():
        cells = [new.new_markdown_cell("# T"), new.new_code_cell(source, metadata={"tags": ["parameters"]})]
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(new.new_notebook(cells=cells, metadata=KERNEL)))
    return chapters(tmp_path)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("tag=1.10", "1.10"),
        ("tag=12e4567", "12e4567"),
        ("tag=", ""),
        ("tag=a=b", "a=b"),
        ("tag= a \"q\" 'r'\nx", " a \"q\" 'r'\nx"),
        ("tag=null", "null"),
        ("when=3", "3"),
        ("maybe=1.10", "1.10"),
        ("maybe=None", None),
        ("repeats=-3", -3),
        ("limit=3", 3.0),
        ("limit=1e3", 1000.0),
        ("fast=True", True),
        ("sizes=[3, 4.5]", [3, 4.5]),
        ("labels={'b': [true]}".replace("'", '"'), {"b": [True]}),
        ("labels={'b': [None]}", {"b": [None]}),
    ],
)
def test_a_value_is_of_its_defaults_type(chosen: list[Chapter], word: str, value: object) -> None:
    """Text stays as it was typed; numbers, truth values, lists and mappings are read as such; other chapters get nothing."""
    found = parameters.fit(chosen, parameters.parse([word]))
    name = word.partition("=")[0]

    assert found == {"0-all": {name: value}, "1-few": {}}
    assert type(found["0-all"][name]) is type(value)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("repeats=3.5", "int"),
        ("repeats=", "int"),
        ("repeats=1_0", "int"),
        ("repeats=true", "int"),
        ("repeats=" + "9" * 5000, "int"),
        ("limit=nan", "float"),
        ("limit=-inf", "float"),
        ("limit=12e4567", "float"),
        ("fast=1", "bool"),
        ("sizes=[NaN]", "list"),
        ("sizes=[1e999]", "list"),
        ("sizes={}", "list"),
        ("sizes=" + "[" * 100_000, "list"),
        ("labels={1: 2}", "dict"),
        ("labels=[]", "dict"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_type(chosen: list[Chapter], word: str, kind: str) -> None:
    """The refusal is one line that names the type, and its hint is accepted."""
    with pytest.raises(UsageError, match=rf"\({kind}\)") as refusal:
        parameters.fit(chosen, parameters.parse([word]))

    name = word.partition("=")[0]
    *_, followed = shlex.split(refusal.value.hint)
    assert len(refusal.value.message) < 200
    assert parameters.fit(chosen, parameters.parse([followed]))["0-all"] == {name: parameters.defaults(chosen[0])[name]}


@pytest.mark.parametrize("words", [["repeats"], ["=3"], ["a b=3"], ["tag=x", "tag=y"], ["tag=\udc80"]])
def test_what_is_no_parameter_is_refused(words: list[str]) -> None:
    """No =, no name, a key given twice, a value that is no text."""
    with pytest.raises(UsageError):
        parameters.parse(words)


def test_hints_are_of_the_chosen_chapters(chosen: list[Chapter]) -> None:
    """Chapters that have parameters name them, with a value that they take; chapters with none but the profile say so."""
    with pytest.raises(UsageError) as some:
        parameters.fit(chosen, {"nope": "1"})
    with pytest.raises(UsageError) as none:
        parameters.fit(chosen[1:], {"repeats": "1"})

    assert some.value.hint.startswith("-p repeats=1; they have repeats, limit,")
    assert none.value.hint.endswith("--profile full")
