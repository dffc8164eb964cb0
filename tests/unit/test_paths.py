"""The folders of the kit: the values that their variables may have, and the errors of folders that cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.cli import main
from kitlib.errors import InputError, SetupError

FOLDERS: dict[str, Callable[[], Path]] = {
    "KIT_HOME": paths.state,
    "KIT_CACHE": paths.cache,
    "KIT_RESULTS": paths.results,
    "KIT_WORK": paths.work,
}
WORDS = {
    "file": "it is a file",
    "below": "not a directory",
    "proc": "",
    "long name": "file name too long",
    "long path": "file name too long",
    "newline": "cannot be printed",
    "tab": "cannot be printed",
    "not UTF-8": "cannot be printed",
    "colon": "a : separates folders",
    "loop": "too many levels of symbolic links",
    "no user": "home directory",
}


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOLDERS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """Places at which no folder can be."""
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    return {
        "file": f"{tmp_path}/file",
        "below": f"{tmp_path}/file/below",
        "proc": "/proc/1/kit",
        "long name": f"{tmp_path}/{'x' * 300}",
        "long path": f"{tmp_path}/{'x/' * 3000}",
        "newline": f"{tmp_path}/a\nb",
        "tab": f"{tmp_path}/a\tb",
        "not UTF-8": os.fsdecode(b"/tmp/kit-\xff"),
        "colon": f"{tmp_path}/a:b",
        "loop": f"{tmp_path}/loop/a",
        "no user": "~no-such-user/kit",
    }


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("kind", WORDS)
def test_a_place_that_cannot_be_used(
    name: str, kind: str, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named with the reason and the next step, in two short lines; it counts as wrong input."""
    monkeypatch.setenv(name, places[kind])
    with pytest.raises(InputError) as caught:
        FOLDERS[name]()

    assert caught.value.message.startswith(f"{name}=") and WORDS[kind] in caught.value.message
    assert len(str(caught.value).splitlines()) == 2 and len(str(caught.value)) < 400


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_cannot_be_written(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on a file system that is read-only is refused before anything is begun; /sys has such folders also for root."""
    monkeypatch.setenv(name, "/proc/1")
    with pytest.raises(InputError, match="cannot be written to"):
        FOLDERS[name]()


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("value", ["", " ", "\t"])
def test_an_empty_variable_is_none(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty means not set."""
    monkeypatch.setattr(paths, "_made", lambda _name, folder, **_: folder)
    before = FOLDERS[name]()
    monkeypatch.setenv(name, value)

    assert FOLDERS[name]() == before


@pytest.mark.parametrize("name", FOLDERS)
def test_home_and_relative_places(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ~ that no shell has replaced is the home folder; a relative path is one of the folder in which the command was given."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found = []
    for value in ("~/a b", "c", "./d/../e"):
        monkeypatch.setenv(name, value)
        found.append(FOLDERS[name]().resolve())

    assert found == [tmp_path / "a b", tmp_path / "c", tmp_path / "e"]


def test_children_see_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is settled when the command begins: its kernels, which work in another folder, use the same one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIT_HOME", "here")
    monkeypatch.setenv("KIT_CACHE", "~no-such-user")
    paths.settle()
    code = "from kitlib import paths; print(paths.state())"
    said = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)

    assert said.stdout.strip() == str(tmp_path / "here")


def test_a_default_that_cannot_be_used_is_a_fault_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was set, the error says which variable chooses another place."""
    (tmp_path / ".kit").touch()
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(SetupError) as caught:
        paths.state()

    assert str(caught.value).startswith(f"{tmp_path / '.kit'} cannot be used: it is a file\nnext: ")
    assert "KIT_HOME" in caught.value.hint


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("words", [["up"], ["down"], ["images", "build", "debian"], ["stacks", "list"]], ids=" ".join)
def test_commands_end_in_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command with an impossible KIT_HOME ends with 2, the variable and the next step."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "file" / "home"))

    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"kit: KIT_HOME={tmp_path}/file/home cannot be used: ")
