"""`./kit test --cold`: a clone of the last commit, without this user's files and settings, and a page with the results."""

import json
import subprocess
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.dev import cold
from kitlib.engine import client as engine
from kitlib.engine import daemon
from kitlib.errors import UsageError

KIT = """\
#!/bin/sh
[ "$1" = down ] && exit 0
echo "$1 $HOME $KIT_CACHE $XDG_CACHE_HOME $KIT_ENGINE_DATA" >> "$KIT_STEPS.seen"
printf '{"what": "%s", "at": 0, "seconds": 120, "ok": true}\\n' "making $1" >> "$KIT_STEPS"
mkdir -p .kit/tests
[ "$1" = test ] || exit 0
cat > .kit/tests/unit.xml <<XML
<testsuite name="unit"><testcase classname="a" name="b"><failure message="one is not two">more</failure></testcase></testsuite>
XML
exit 1
"""


def git(folder: Path, *words: str) -> None:
    names = ("-c", "user.name=kit", "-c", "user.email=kit@example.com")
    subprocess.run(["git", *names, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose `./kit test` fails in one test; there is no engine."""
    root = tmp_path / "checkout"
    (root / "docs").mkdir(parents=True)
    (root / "docs" / "fresh-machine.md").write_text("old\n")
    (root / "kit").write_text(KIT)
    (root / "kit").chmod(0o755)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "all")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(paths, "ROOT", root)
    monkeypatch.setattr(cold, "PAGE", root / "docs" / "fresh-machine.md")
    monkeypatch.setattr(cold, "SPACE", 0)
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr(engine, "connect", lambda: None)
    monkeypatch.setattr(daemon, "stop", lambda: None)
    monkeypatch.setenv("KIT_CACHE", "/a/full/cache")
    monkeypatch.setenv("XDG_CACHE_HOME", "/another/one")
    return root


def test_what_is_not_committed_is_refused(checkout: Path) -> None:
    """A change that a clone would not have is named, and nothing is run."""
    (checkout / "kit").write_text(KIT + "# changed\n")

    with pytest.raises(UsageError, match="uncommitted changes\n  M kit"):
        cold.test()


@pytest.mark.usefixtures("checkout")
def test_too_little_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that cannot hold a whole run is an error before it begins."""
    monkeypatch.setattr(cold, "SPACE", 2**60)

    with pytest.raises(UsageError, match="TMPDIR="):
        cold.test()


@pytest.mark.usefixtures("checkout")
def test_each_command_runs_with_nothing_of_this_user(tmp_path: Path) -> None:
    """HOME and the caches are new folders below one temporary folder, whatever the user's environment says."""
    cold.test()

    (folder,) = (tmp_path / "scratch").glob("kit-cold-*")
    seen = (folder / "steps.jsonl.seen").read_text().splitlines()
    assert seen == [f"{word} {folder}/home   {folder}/engine" for word in ("--help", "run", "test")]


def test_the_page_has_minutes_and_failures(checkout: Path) -> None:
    """One command that fails fails the whole, and the page says which test it was, with each command's and step's minutes."""
    assert cold.test() == 1

    page = (checkout / "docs" / "fresh-machine.md").read_text()
    assert "| `./kit test` | 0.0 | 1 |" in page
    assert "- unit: a b: one is not two" in page
    assert "| 0.0 | making run | 2.0 | |" in page


def test_a_step_is_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each step of a command, also one that failed, is a line of the file KIT_STEPS."""
    from kitlib.host.console import step

    monkeypatch.setenv("KIT_STEPS", str(tmp_path / "steps"))
    with step("working"):
        pass
    with pytest.raises(ValueError, match="no"), step("failing"):
        raise ValueError("no")

    lines = [json.loads(line) for line in (tmp_path / "steps").read_text().splitlines()]
    assert [(line["what"], line["ok"]) for line in lines] == [("working", True), ("failing", False)]
