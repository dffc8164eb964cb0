"""The record by which the kit knows its own cluster: when it is written, and what becomes of a broken one."""

import json
import os
import stat
from pathlib import Path

import pytest

from kitlib import owner
from kitlib.errors import ClusterError, UsageError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cluster `mine`, in a state folder of the test's own."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_CLUSTER", "mine")
    return tmp_path / "home" / "clusters" / "mine"


def test_no_record_before_creation() -> None:
    """Without a record there is no owner."""
    assert owner.load() is None


def test_record_survives() -> None:
    """What was created is what is loaded, and it names this cluster."""
    made = owner.create()

    assert owner.load() == made
    assert made.cluster == "mine"
    assert not made.proved


def test_marks_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record has a mark of its own, which its labels carry."""
    first = owner.create()
    monkeypatch.setenv("KIT_CLUSTER", "other")
    second = owner.create()

    assert first.mark != second.mark
    assert second.labels == {"local.kit.owner": second.mark, "local.kit.cluster": "other"}


def test_record_is_on_disk_before_anything_else(home: Path) -> None:
    """Creation leaves the record and the folder that nodes will mount; nothing else exists yet."""
    made = owner.create()

    assert {p.name for p in home.iterdir()} == {"owner.json", made.folder.name}
    assert made.folder.is_dir()
    assert json.loads((home / "owner.json").read_text())["mark"] == made.mark


def test_state_is_the_users_own(home: Path) -> None:
    """Nobody else can look into the state: kubeconfig and record lie in folders of mode 0700."""
    owner.create()

    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (home, home.parent.parent)] == [0o700, 0o700]


def test_interrupted_save_leaves_the_old_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that stops before the data is on disk changes nothing; the next one goes through."""
    made = owner.create()

    def full_disk(_: int) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError, match="no space"):
            made.noted(ca="ab")
    after = owner.load()

    assert after == made
    assert made.noted(ca="ab") == owner.load()


def test_noted_keeps_the_rest() -> None:
    """What becomes known is added, saved, and leaves the rest as it was."""
    made = owner.create()
    known = made.noted(ca="ab", kube_system="cd").noted(proved=True)

    assert known == owner.Owner("mine", made.mark, made.created_at, "ab", "cd", True)
    assert owner.load() == known


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cluster": "mine"}', '{"of": "another version"}', "\x80"])
def test_damaged_record_is_an_error(home: Path, text: str) -> None:
    """A record that cannot be read names the file and the next step; it never counts as no record."""
    owner.create()
    (home / "owner.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ClusterError) as caught:
        owner.load()

    assert caught.value.message.startswith(f"{home / 'owner.json'} is damaged: ")
    assert "docker rm -f -v mine-control-plane" in caught.value.hint


def test_forget_removes_all_state(home: Path) -> None:
    """A forgotten cluster leaves no file; other clusters' state stays."""
    (home.parent / "other").mkdir(parents=True)
    made = owner.create()
    owner.kubeconfig().write_text("secret")
    owner.forget(made)

    assert [p.name for p in home.parent.iterdir()] == ["other"]
    assert owner.load() is None


@pytest.mark.parametrize("name", ["kit", "kit-test", "k8s", "2", "a-1-b"])
def test_cluster_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """KIT_CLUSTER names the cluster: lower-case letters, digits, and dashes between them."""
    monkeypatch.setenv("KIT_CLUSTER", name)

    assert owner.cluster_name() == name


@pytest.mark.parametrize("value", [None, ""])
def test_default_cluster_name(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without KIT_CLUSTER, or with an empty one, the cluster is called kit."""
    monkeypatch.delenv("KIT_CLUSTER")
    if value is not None:
        monkeypatch.setenv("KIT_CLUSTER", value)

    assert owner.cluster_name() == "kit"


@pytest.mark.parametrize("name", ["Kit", "k_t", "a b", "-a", "a-", "a--b", "../a", "a/b", ".", "a.b", "ä", "a²", "a\n"])
def test_bad_cluster_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other name is wrong usage, and leaves nothing in the state folder."""
    monkeypatch.setenv("KIT_CLUSTER", name)
    with pytest.raises(UsageError, match="is not a cluster name"):
        owner.home()

    assert list(Path(os.environ["KIT_HOME"]).iterdir()) == []
