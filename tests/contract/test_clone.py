"""What a clone must be on any machine: the same bytes, modes that do not matter, and no need of git."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kitlib.paths import ROOT


def git(*words: str, cwd: Path = ROOT) -> bytes:
    return subprocess.run(["git", *words], cwd=cwd, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed or about to be, cloned as Git for Windows does it, into a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("a clone")
    source = folder / "source"
    source.mkdir()
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    me = ["-c", "user.name=kit", "-c", "user.email=kit@example.org", "-c", "core.autocrlf=false"]
    git("init", "-q", cwd=source)
    git("add", "-A", cwd=source)
    git(*me, "commit", "-qm", "all", cwd=source)
    git("-c", "core.autocrlf=true", "-c", "core.fileMode=false", "clone", "-q", "source", "the clone", cwd=folder)
    return folder / "the clone"


def test_no_line_ends_in_cr(clone: Path) -> None:
    """With core.autocrlf=true every file of the clone is what was committed, byte for byte; no text has a CR."""
    names = git("ls-files", "-z", cwd=clone).decode().strip("\0").split("\0")
    source = clone.parent / "source"

    assert len(names) > 500
    assert [name for name in names if (clone / name).read_bytes() != (source / name).read_bytes()] == []
    contents = {name: (clone / name).read_bytes() for name in names}
    assert [name for name, content in contents.items() if b"\r\n" in content and b"\0" not in content] == []


def test_every_file_has_its_line_ends_declared() -> None:
    """No file is left to the settings of the machine that clones it."""
    told = git("ls-files", "--eol").decode().splitlines()

    assert [line for line in told if "eol=lf" not in line and "attr/-text" not in line] == []


def _copy(clone: Path, *, with_git: bool) -> Path:
    """A copy whose files have lost their modes, as a download without git or a Windows disk leaves them."""
    copy = clone.with_name(f"copy {with_git}")
    shutil.copytree(clone, copy, ignore=None if with_git else shutil.ignore_patterns(".git"))
    for file in copy.rglob("*"):
        if file.is_file() and not file.is_symlink() and ".git" not in file.parts:
            file.chmod(0o644)
    return copy


@pytest.mark.parametrize("with_git", [True, False])
def test_the_launcher_runs_there(with_git: bool, clone: Path, tmp_path: Path) -> None:
    """`sh kit --help` and `sh kit run --list` work in a folder with a space, without modes, without git, and through a link."""
    copy = _copy(clone, with_git=with_git)
    (copy / ".venv" / "bin").mkdir(parents=True)
    python = copy / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec env PYTHONPATH="{copy}" "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    link = tmp_path / "a link"
    link.symlink_to(copy)
    lines = (copy / "requirements.lock").read_bytes() + (copy / "pyproject.toml").read_bytes()
    (copy / ".venv" / ".kit-installed").write_bytes(f"{copy}\n".encode() + lines)
    environment = {**os.environ, "KIT_HOME": str(tmp_path / "home")}
    said = [
        subprocess.run(
            ["sh", f"{folder}/kit", *words], cwd="/", env=environment, capture_output=True, text=True, check=False
        )
        for folder in (copy, link)
        for words in (["--help"], ["run", "--list"])
    ]

    assert [(one.returncode, one.stderr) for one in said] == [(0, "")] * 4
    assert said[0].stdout.startswith("usage: kit") and "2.3-multi-stage" in said[1].stdout
    assert said[2:][0].stdout == said[0].stdout and said[3].stdout == said[1].stdout
