"""The kit's lock: one command at a time, whatever becomes of its holder.  Every contender is a process of its own."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kitlib.errors import SetupError
from kitlib.host.lock import exclusive

pytestmark = pytest.mark.timeout(60)

# Takes the lock, says so, and keeps it until its stdin ends; the log tells who was inside when.
COMMAND = """
import sys
from pathlib import Path
from kitlib.host.lock import exclusive
name, log = sys.argv[1], Path(sys.argv[2])
with exclusive(name), log.open("a", buffering=1) as said:
    said.write(f"{name} in\\n")
    print("in", flush=True)
    sys.stdin.read()
    said.write(f"{name} out\\n")
"""


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    return tmp_path / "log"


@contextmanager
def command(name: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", COMMAND, name, str(log)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(stream: object) -> str:
    return str(stream.readline()).strip()  # type: ignore[attr-defined]


def test_two_commands_exclude_each_other(log: Path) -> None:
    """A second command waits, says whose turn it is, and goes on when the first one ends."""
    with command("first", log) as first:
        assert line(first.stdout) == "in"
        with command("second", log) as second:
            waiting = line(second.stderr)
            assert second.stdout
            entered = select.select([second.stdout], [], [], 0.5)[0]
            first.communicate()
            second.communicate()

    assert waiting == f"waiting for another kit command to end (first, process {first.pid}) …"
    assert entered == []
    assert log.read_text().splitlines() == ["first in", "first out", "second in", "second out"]


def test_killed_holder_frees_the_lock(log: Path) -> None:
    """After a holder was killed with SIGKILL the next command gets the lock without waiting."""
    with command("first", log) as first:
        assert line(first.stdout) == "in"
        first.kill()
    with command("second", log) as second:
        _, said = second.communicate()

    assert said == ""
    assert log.read_text().splitlines() == ["first in", "second in", "second out"]


def test_one_process_may_hold_it_twice(log: Path) -> None:
    """Within a process the lock can be taken again, and the end of the inner block does not give it to another process."""
    with exclusive("outer"):
        with exclusive("inner"):
            pass
        with command("second", log) as second:
            waiting = line(second.stderr)

    assert waiting.startswith("waiting for another kit command to end (")
    assert f"process {os.getpid()})" in waiting
    assert not log.exists()


def test_failing_holder_frees_the_lock(log: Path) -> None:
    """A block that raises gives the lock back."""
    with pytest.raises(ZeroDivisionError), exclusive("failing"):
        _ = 1 / 0
    with command("second", log) as second:
        _, said = second.communicate()

    assert said == ""


@pytest.mark.parametrize("kind", ["folder", "no folder"])
def test_lock_that_cannot_be_taken(kind: str, tmp_path: Path) -> None:
    """A lock file that is a folder, or would lie in a place that is none, is named in one line with the next step."""
    (tmp_path / "home").mkdir()
    lock = tmp_path / "home" / "lock"
    lock.mkdir() if kind == "folder" else lock.symlink_to(tmp_path / "nothing" / "lock")
    with pytest.raises(SetupError, match=f"^the lock {lock} cannot be taken: ") as caught, exclusive("testing"):
        pass

    assert len(str(caught.value).splitlines()) == 2


def test_holder_that_cannot_be_told(tmp_path: Path) -> None:
    """The name of the holder is a courtesy: where it cannot be written, the command goes on without."""
    (tmp_path / "home" / "lock.holder").mkdir(parents=True)
    with exclusive("testing"):
        entered = True

    assert entered
