"""Small files of the state folder: whole, shared by kernels, and never lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from kitlib.errors import SetupError
from kitlib.host import statefile
from kitlib.host.statefile import StateFile

FILE = StateFile("some.json", "some things")
ADD = """
import sys
from kitlib.host.statefile import StateFile
for number in range(20):
    StateFile("some.json", "some things").update(f"{sys.argv[1]}-{number}", lambda _: number)
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    return tmp_path


def test_an_entry_is_kept_and_changed() -> None:
    """The first change gets None, the next one what is kept; other entries stay."""
    FILE.update("other", lambda _: "x")
    for _ in range(2):
        FILE.update("key", lambda before: [before])

    assert FILE.read() == {"other": "x", "key": [[None]]}


def test_reading_makes_nothing(home: Path) -> None:
    """Without a file there are no entries, and none is made."""
    assert FILE.read() == {}
    assert list(home.iterdir()) == []


def test_two_kernels_at_once_lose_nothing() -> None:
    """All changes of two processes that write at the same time are in the file."""
    writers = [subprocess.Popen([sys.executable, "-c", ADD, name]) for name in "ab"]

    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert FILE.read() == {f"{name}-{number}": number for name in "ab" for number in range(20)}


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"1", b"\0", b"\xff{}", b"[" * 100_000])
def test_a_damaged_file_is_set_aside(home: Path, damaged: bytes) -> None:
    """It is kept under another name, which the warning gives, and a new one begins."""
    (home / "some.json").write_bytes(damaged)
    with pytest.warns(UserWarning, match=r"file of some things .* kept as .*some\.damaged"):
        found = FILE.read()
    FILE.update("key", lambda _: 1)

    assert found == {}
    assert FILE.read() == {"key": 1}
    assert (home / "some.damaged").read_bytes() == damaged


def test_a_second_damaged_file_does_not_replace_the_first(home: Path) -> None:
    """Each damaged file is kept."""
    for text in ("first", "second"):
        (home / "some.json").write_text(text)
        with pytest.warns(UserWarning, match="kept as"):
            FILE.read()

    assert [p.read_text() for p in sorted(home.glob("some.damaged*"))] == ["first", "second"]


def test_entries_of_another_version_stay(home: Path) -> None:
    """An entry that this version does not know is still there after a change."""
    (home / "some.json").write_text(json.dumps({"foreign": [1, {"a": None}]}))
    FILE.update("key", lambda _: 1)

    assert FILE.read() == {"foreign": [1, {"a": None}], "key": 1}


def test_a_folder_that_takes_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the things, the file and the next step."""
    monkeypatch.setenv("KIT_HOME", "/proc/self")

    with pytest.raises(SetupError, match=r"some things cannot be kept in /proc/self/some.json: ") as caught:
        FILE.update("key", lambda _: 1)
    assert "KIT_HOME" in caught.value.hint


def test_a_read_only_folder_can_be_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are read without a right to write; a change says that there is none."""
    (home / "some.json").write_text('{"key": 1}')
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert FILE.read() == {"key": 1}
    with pytest.raises(SetupError, match=r"some things cannot be kept in .* cannot be written to"):
        FILE.update("key", lambda _: 2)
    assert FILE.read() == {"key": 1}


def test_a_lock_that_is_not_released(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change does not wait for ever for another program."""
    monkeypatch.setattr(statefile, "PATIENCE", 0.1)
    with FileLock(home / "some.lock"), pytest.raises(SetupError, match="another program holds its lock"):
        FILE.update("key", lambda _: 1)
