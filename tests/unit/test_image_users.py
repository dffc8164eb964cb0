"""Which checkouts use an image: what each notes in the cache that they share."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.host import identity
from kitlib.supply import image_users

IMAGE = "kit.local/alpine:0123456789ab"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KIT_CLUSTER", "mine")
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "a"))


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of another checkout, which has a cluster and uses the image."""
    home = tmp_path / "b"
    with monkeypatch.context() as there:
        there.setenv("KIT_HOME", str(home))
        identity.create()
        image_users.note([IMAGE])
        image_users.note(["kit.local/another:1"])
    return home


def test_notes_of_many_threads_are_all_kept() -> None:
    """Stacks are installed side by side: no note of one is lost by that of another, and none fails."""
    names = [f"kit.local/{n}:1" for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: image_users.note([name]), names))
    (file,) = (paths.cache() / "checkouts").glob("*.json")

    assert sorted(json.loads(file.read_text())["images"]) == sorted(names)


def test_another_checkout_uses_it(other: Path) -> None:
    """What another checkout noted counts; what it did not, and what this one noted, does not."""
    image_users.note([IMAGE, "kit.local/own:1"])

    assert list(image_users.users(IMAGE)) == [other]
    assert list(image_users.users("kit.local/another:1")) == [other]
    assert list(image_users.users("kit.local/own:1")) == []


@pytest.mark.parametrize("gone", ["cluster", "folder", "another checkout there"])
def test_a_checkout_that_uses_nothing_any_more(gone: str, other: Path) -> None:
    """A note counts while its checkout has a cluster, and its state folder is the one that wrote it."""
    if gone == "cluster":
        (other / "clusters" / "mine" / "owner.json").unlink()
    elif gone == "folder":
        other.rename(other.with_name("elsewhere"))
    else:
        (other / "checkout").write_text("another")

    assert list(image_users.users(IMAGE)) == []


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_note_that_was_broken_off(text: str, other: Path) -> None:
    """A note that cannot be read is of no use to anyone, and no error."""
    for file in (paths.cache() / "checkouts").iterdir():
        file.write_text(text)

    assert other.exists()
    assert list(image_users.users(IMAGE)) == []
