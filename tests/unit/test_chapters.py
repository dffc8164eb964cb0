"""Chapters are found by the beginning of their names, and a notebook that is broken does not hide the others."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kitlib.cli import main
from kitlib.errors import InputError, UsageError
from kitlib.runner import chapters as reading
from kitlib.runner import run as runs
from kitlib.runner.chapters import Chapter

GOOD: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        {"id": "a", "cell_type": "markdown", "metadata": {}, "source": ["# Its ", "title"]},
        {
            "id": "b",
            "cell_type": "code",
            "metadata": {},
            "source": 'kit.claim("x-1")',
            "outputs": [],
            "execution_count": None,
        },
    ],
}


def without(*way: Any) -> dict[str, Any]:
    """The good notebook with one of its parts missing."""
    made = copy.deepcopy(GOOD)
    place: Any = made
    for key in way[:-1]:
        place = place[key]
    del place[way[-1]]
    return made


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b" \n", "is empty"),
    "text": (b"hello", "is not JSON, line 1: expecting value"),
    "truncated": (json.dumps(GOOD, indent=1).encode()[:-200], "is not JSON, line "),
    "merge": (b"<<<<<<< HEAD\n" + json.dumps(GOOD).encode(), "is not JSON, line 1"),
    "latin-1": (json.dumps(GOOD).replace("Its", "Für").encode("latin-1"), "line 1: byte 0xfc is not UTF-8"),
    "bom": (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "begins with a byte order mark"),
    "zeros": (bytes(1000), "is not JSON"),
    "nested": (b"[" * 200_000, "is "),
    "number": (b"1", "is JSON, but not a notebook"),
    "list": (b"[]", "is JSON, but not a notebook"),
    "object": (b"{}", "is JSON, but not a notebook"),
    "format-3": (json.dumps({"nbformat": 3, "metadata": {}, "worksheets": []}).encode(), "of format 3, where 4 is"),
    "no-format": (json.dumps(without("nbformat")).encode(), "of format None"),
    "no-cells": (json.dumps(without("cells")).encode(), "has no cells"),
    "cells-object": (json.dumps({**GOOD, "cells": {}}).encode(), "has no cells"),
    "no-metadata": (json.dumps(without("metadata")).encode(), "has no metadata"),
    "no-kernel": (json.dumps(without("metadata", "kernelspec")).encode(), "names no kernel"),
    "cell-number": (json.dumps({**GOOD, "cells": [1]}).encode(), "is broken at cell 0"),
    "cell-no-source": (json.dumps(without("cells", 1, "source")).encode(), "is broken at cell 1"),
    "cell-no-type": (json.dumps(without("cells", 0, "cell_type")).encode(), "is broken at cell 0"),
    "cell-no-metadata": (json.dumps(without("cells", 1, "metadata")).encode(), "is broken at cell 1"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two chapters in a folder of their own."""
    made = tmp_path / "notebooks"
    made.mkdir()
    for name in ("2.1-first", "2.10-last"):
        (made / f"{name}.ipynb").write_text(json.dumps(GOOD))
    return made


def only(folder: Path, name: str) -> Chapter:
    return next(c for c in reading.chapters(folder) if c.name == name)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_notebook_is_named_and_hides_no_other(kind: str, folder: Path) -> None:
    """The others are listed, found and run as ever; the broken one is listed with its file and what is wrong, in one line."""
    raw, problem = BROKEN[kind]
    (folder / "2.2-broken.ipynb").write_bytes(raw)
    known = reading.chapters(folder)
    first, broken, last = reading.listing(known)

    assert (first, last) == (f"{'2.1-first':24} Its title", f"{'2.10-last':24} Its title")
    assert broken.startswith(f"{'2.2-broken':24} ✗ {folder / '2.2-broken.ipynb'}") and problem in broken
    assert len(broken.splitlines()) == 1
    assert [c.name for c in reading.resolve(["2.1", "2.10"], known)] == ["2.1-first", "2.10-last"]
    with pytest.raises(InputError, match=r"2\.2-broken\.ipynb"):
        reading.resolve(["2.2"], known)


def test_a_folder_and_a_dead_link_are_no_notebooks(folder: Path) -> None:
    """What is called a notebook and cannot be read is listed with the system's words."""
    (folder / "2.2-folder.ipynb").mkdir()
    (folder / "2.3-link.ipynb").symlink_to(folder / "nothing")

    assert "cannot be read: is a directory" in only(folder, "2.2-folder").problem
    assert "cannot be read: no such file" in only(folder, "2.3-link").problem


@pytest.mark.parametrize(
    "name",
    [
        ".2.1-first.ipynb",
        ".~2.1-first.ipynb",
        "._2.1-first.ipynb",
        "2.1-first-checkpoint.ipynb",
        "2.1-first.ipynb~",
        "2.1-first.ipynb.orig",
        "2.1-first.ipynb.swp",
        "#2.1-first.ipynb#",
    ],
)
def test_what_editors_leave_behind_is_no_chapter(name: str, folder: Path) -> None:
    """Backups, checkpoints and the locks of editors are passed over, whatever is in them."""
    (folder / name).write_text("no JSON")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "2.1-first-checkpoint.ipynb").write_text("no JSON")
    (folder / ".#2.1-first.ipynb").symlink_to("user@host.1234")

    assert [c.name for c in reading.chapters(folder)] == ["2.1-first", "2.10-last"]


def test_a_broken_notebook_keeps_its_claims(folder: Path) -> None:
    """Claims that can still be read are known, so that a run can say that they were not measured."""
    (folder / "2.2-broken.ipynb").write_text(json.dumps(GOOD)[:-5])

    assert only(folder, "2.2-broken").claims == ("x-1",)


def test_a_section_is_not_the_beginning_of_another(folder: Path) -> None:
    """2.1 is section 2.1 and not 2.10; a name twice is the chapter once; a path that a shell has completed is its chapter."""
    known = reading.chapters(folder)
    completed = str(reading.FOLDER / "2.3-multi-stage.ipynb")

    assert [c.name for c in reading.resolve(["2.1", "2.1", "2.1-first.ipynb"], known)] == ["2.1-first"]
    assert [c.name for c in reading.resolve([completed])] == ["2.3-multi-stage"]


@pytest.mark.parametrize("word", ["", " ", "2", "../2.1-first", "nope", "a\nb", "*", "2.1-first.ipynb.ipynb"])
def test_a_word_that_names_no_chapter(word: str, folder: Path) -> None:
    """It is refused with the list of chapters."""
    with pytest.raises(UsageError) as refusal:
        reading.resolve([word], reading.chapters(folder))

    assert len(refusal.value.observed) == 2
    assert len(refusal.value.message.splitlines()) == 1


@contextmanager
def silent(_: str) -> Iterator[Any]:
    yield lambda _line: None


def test_a_run_of_all_chapters_fails_at_the_broken_one_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on to the others; the broken notebook is a failure of its own, without a traceback."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    (folder / "2.1-first.ipynb").unlink()
    (folder / "2.10-last.ipynb").write_text(json.dumps({**GOOD, "cells": GOOD["cells"][:1]}))
    (folder / "2.2-broken.ipynb").write_text("no JSON")
    run = runs.execute(reading.chapters(folder), profile="quick", out=tmp_path / "out", announce=silent)

    assert [(f.chapter, f.error) for f in run.failures] == [("2.2-broken", "InputError")]
    assert [entry.failure is None for entry in run.chapters] == [False, True]
    assert run.failures[0].message.startswith(f"{folder / '2.2-broken.ipynb'} is not JSON")


def test_a_broken_notebook_is_named_when_others_are_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run 2.1` runs 2.1 and names the broken one; `run` of the broken one is wrong input, told before anything runs."""
    (folder / "2.2-broken.ipynb").write_text("no JSON")
    monkeypatch.setattr(reading.chapters, "__defaults__", (folder,))
    ran: list[Any] = []
    monkeypatch.setattr(runs, "command", lambda names, **_: ran.append(names))

    assert main(["run", "2.1"]) == 0
    assert f"kit: {folder / '2.2-broken.ipynb'} is not JSON" in capsys.readouterr().err
    assert main(["run", "2.2"]) == 2
    assert main(["run", "--list"]) == 0
    assert ran == [["2.1"]]
