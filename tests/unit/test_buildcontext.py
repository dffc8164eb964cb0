"""Modes of what a build copies, whatever the user's umask was when the files were written."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.host import buildcontext
from kitlib.supply import images


@pytest.mark.parametrize(
    ("found", "mode"),
    [(0o600, 0o644), (0o644, 0o644), (0o664, 0o644), (0o700, 0o755), (0o775, 0o755), (0o444, 0o444), (0o4711, 0o4755)],
)
def test_group_and_others_may_what_the_owner_may(found: int, mode: int) -> None:
    """All but to write; what the owner may, and set-user-ID, stays."""
    assert buildcontext.mode(found) == mode


@pytest.mark.parametrize("umask", [0o077, 0o022, 0o002, 0o027])
def test_contexts_do_not_depend_on_the_umask(umask: int, tmp_path: Path) -> None:
    """A build sees the same modes of the same files, and the files themselves are left as they are."""
    before = os.umask(umask)
    try:
        folder = _written(tmp_path / "context")
        written = {path: path.lstat().st_mode for path in folder.rglob("*")}
    finally:
        os.umask(before)
    with buildcontext.plain(folder, {"other": folder}) as (plain, named):
        seen = [_modes(plain), _modes(named["other"])]

    assert seen == [{".": 0o755, "sub": 0o755, "sub/run": 0o755, "text": 0o644}] * 2
    assert {path: path.lstat().st_mode for path in folder.rglob("*")} == written


def test_a_context_that_is_as_it_should_be_is_not_copied(tmp_path: Path) -> None:
    """Go's root and Kubernetes' programs are large."""
    folder = buildcontext.level(_written(tmp_path / "context"))
    with buildcontext.plain(folder, {"other": folder}) as (plain, named):
        assert (plain, named) == (folder, {"other": folder})


def test_what_a_link_leads_to_is_left(tmp_path: Path) -> None:
    """A link in a context stays a link, and the modes of a file outside are not touched."""
    outside = tmp_path / "outside"
    outside.write_text("private")
    outside.chmod(0o600)
    folder = _written(tmp_path / "context")
    (folder / "link").symlink_to(outside)
    (folder / "text").chmod(0o600)
    with buildcontext.plain(folder, {}) as (plain, _):
        assert (plain / "link").readlink() == outside
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda mode: mode & ~0o077, True),
        (lambda mode: mode | 0o020, True),
        (lambda mode: mode | 0o111, False),
        (lambda mode: mode & ~0o222, False),
    ],
    ids=["umask 077", "umask 002", "executable", "read-only"],
)
def test_modes_decide_a_rebuild(
    change: Callable[[int], int], same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image's inputs are others when the modes that are in it are, and only then."""
    recipe = tmp_path / "static"
    recipe.mkdir()
    (recipe / "Dockerfile").write_text("FROM scratch\nCOPY . .\n")
    file = recipe / "program"
    file.write_text("#!/bin/sh\n")
    for path in (recipe / "Dockerfile", file):
        path.chmod(0o644)
    monkeypatch.setattr(images, "RECIPES", tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(images, "catalogue", lambda: {"static": images.Image("static", recipe="static")})
    inputs = images.inputs.__wrapped__
    before = inputs("static")
    file.chmod(change(0o644))

    assert (inputs("static") == before) == same


def _written(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "text").write_text("text")
    run = folder / "sub" / "run"
    run.write_text("#!/bin/sh\n")
    run.chmod(run.stat().st_mode | 0o100)
    return folder


def _modes(folder: Path) -> dict[str, int]:
    paths = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in paths}
