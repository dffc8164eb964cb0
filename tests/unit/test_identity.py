"""The record by which the kit knows its own cluster: when it is written, and what becomes of a broken one."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.cluster import bound as cluster
from kitlib.engine import client as engine
from kitlib.errors import ClusterError, UsageError
from kitlib.host import identity


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cluster `mine`, in a state folder of the test's own."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_CLUSTER", "mine")
    return tmp_path / "home" / "clusters" / "mine"


def test_no_record_before_creation() -> None:
    """Without a record there is no owner."""
    assert identity.load() is None


def test_record_survives() -> None:
    """What was created is what is loaded, and it names this cluster."""
    made = identity.create()

    assert identity.load() == made
    assert made.cluster == "mine"
    assert not made.proved


def test_marks_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record has a mark of its own, which its labels carry."""
    first = identity.create()
    monkeypatch.setenv("KIT_CLUSTER", "other")
    second = identity.create()

    assert first.mark != second.mark
    assert second.labels == {"local.kit.owner": second.mark, "local.kit.cluster": "other"}


def test_record_is_on_disk_before_anything_else(home: Path) -> None:
    """Creation leaves the record and the folder that nodes will mount; nothing else exists yet."""
    made = identity.create()

    assert {p.name for p in home.iterdir()} == {"owner.json", made.folder.name}
    assert made.folder.is_dir()
    assert json.loads((home / "owner.json").read_text())["mark"] == made.mark


def test_state_is_the_users_own(home: Path) -> None:
    """No other user can read the state: kubeconfig and record lie in folders of mode 0700."""
    identity.create()

    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (home, home.parent.parent)] == [0o700, 0o700]


def test_interrupted_save_leaves_the_old_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that stops before the data is on disk changes nothing; the next one goes through."""
    made = identity.create()

    def full_disk(_: int) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError, match="no space"):
            made.noted(ca="ab")
    after = identity.load()

    assert after == made
    assert made.noted(ca="ab") == identity.load()


def test_noted_keeps_the_rest() -> None:
    """What becomes known is added, saved, and leaves the rest as it was."""
    made = identity.create()
    known = made.noted(ca="ab", kube_system="cd").noted(proved=True)

    assert known == identity.Identity("mine", made.mark, made.created_at, "ab", "cd", True)
    assert identity.load() == known


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cluster": "mine"}', '{"of": "another version"}', "\x80"])
def test_damaged_record_is_an_error(home: Path, text: str) -> None:
    """A record that cannot be read names the file and the next step; it never counts as no record."""
    identity.create()
    (home / "owner.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ClusterError) as caught:
        identity.load()

    assert caught.value.message.startswith(f"{home / 'owner.json'} is damaged: ")
    assert "docker rm -f -v mine-control-plane" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zone": "a"}, "a newer version of the kit may have written it (zone is unknown)"),
        ({"mark": 7}, "mark is 7"),
        ({"mark": "../../etc"}, "the mark is '../../etc'"),
        ({"mark": ""}, "the mark is ''"),
        ({"cluster": "other"}, "it is the record of the cluster 'other'"),
        ({"profile": "ten-node"}, "the profile is 'ten-node'"),
        ({"proved": "yes"}, "proved is 'yes'"),
        ({"ca": None}, "ca is None"),
    ],
)
def test_record_of_something_else(home: Path, changes: dict[str, object], said: str) -> None:
    """A record of a newer version, of another cluster, or with invalid values is an error of one line; it stays as it is."""
    identity.create()
    file = home / "owner.json"
    text = json.dumps(json.loads(file.read_text()) | changes)
    file.write_text(text)
    with pytest.raises(ClusterError) as caught:
        identity.load()

    assert caught.value.message == f"{file} is damaged: {said}"
    assert file.read_text() == text


def test_record_that_is_a_folder(home: Path) -> None:
    """A folder in the record's place is an error with the system's message."""
    (home / "owner.json").mkdir(parents=True)
    with pytest.raises(ClusterError, match="is damaged: is a directory"):
        identity.load()


@pytest.mark.parametrize("profile", identity.PROFILES)
def test_a_record_knows_its_nodes(profile: str) -> None:
    """The nodes of each profile, the control plane's first; no two have one name."""
    record = identity.Identity("kit", "0123456789ab", "2026-01-01T00:00:00+00:00", profile=profile)

    assert record.nodes[0] == record.control_plane == "kit-control-plane"
    assert len(set(record.nodes)) == len(record.nodes) == 1 + identity.PROFILES[profile]


GOOD = {
    "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1", "certificate-authority-data": "eA=="}}],
    "contexts": [{"name": "k", "context": {"cluster": "k", "user": "k"}}],
    "users": [{"name": "k", "user": {"token": "t"}}],
    "current-context": "k",
}


@pytest.mark.parametrize(
    "text",
    [
        None,
        b"",
        b"{",
        b"a: b: c",
        b"[]",
        b"1",
        b"\xff",
        b"clusters: []",
        json.dumps(GOOD | {"current-context": "other"}).encode(),
        json.dumps(GOOD | {"users": None}).encode(),
        json.dumps(GOOD).encode(),  # its certificate is none
    ],
)
def test_kubeconfig_that_cannot_be_read(text: bytes | None) -> None:
    """A kubeconfig that is missing, cut off or damaged while the record is there names the file and the next step."""
    made = identity.create()
    if text is not None:
        identity.kubeconfig().write_bytes(text)
    bound = cluster.Cluster(object.__new__(engine.Engine), made)  # it is not asked
    with pytest.raises(ClusterError) as caught:
        _ = bound.kube

    assert caught.value.message.startswith(f"{identity.kubeconfig()} cannot be used: ")
    assert caught.value.hint == f"rm -f '{identity.kubeconfig()}' && ./kit up"
    if text != json.dumps(GOOD).encode():
        with pytest.raises(ClusterError):
            cluster.proof(bound)


def test_forget_removes_all_state(home: Path) -> None:
    """A forgotten cluster leaves no file; other clusters' state stays."""
    (home.parent / "other").mkdir(parents=True)
    made = identity.create()
    identity.kubeconfig().write_text("secret")
    identity.forget(made)

    assert [p.name for p in home.parent.iterdir()] == ["other"]
    assert identity.load() is None


@pytest.mark.parametrize("name", ["kit", "kit-test", "k8s", "2", "a-1-b", "a" * 49])
def test_cluster_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """KIT_CLUSTER names the cluster: lower-case letters, digits, and dashes between them."""
    monkeypatch.setenv("KIT_CLUSTER", name)

    assert identity.cluster_name() == name


@pytest.mark.parametrize("value", [None, ""])
def test_default_cluster_name(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without KIT_CLUSTER, or with an empty one, the cluster is called kit."""
    monkeypatch.delenv("KIT_CLUSTER")
    if value is not None:
        monkeypatch.setenv("KIT_CLUSTER", value)

    assert identity.cluster_name() == "kit"


@pytest.mark.parametrize(
    "name",
    ["Kit", "k_t", "a b", "-a", "a-", "a--b", "../a", "a/b", ".", "a.b", "ä", "a²", "a\n", " ", "a" * 50, "a" * 5000],
)
def test_bad_cluster_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other name is wrong usage, and leaves nothing in the state folder."""
    monkeypatch.setenv("KIT_CLUSTER", name)
    with pytest.raises(UsageError, match="is not a cluster name") as caught:
        identity.home()

    assert len(str(caught.value).splitlines()) == 2 and len(str(caught.value)) < 300
    assert list(Path(os.environ["KIT_HOME"]).iterdir()) == []


def test_the_engine_is_recorded() -> None:
    """A record names the engine on which its cluster is, by ID and address."""
    made = identity.create(engine="an-id", host="unix:///var/run/docker.sock")

    assert identity.load() == made
    assert (made.engine, made.host) == ("an-id", "unix:///var/run/docker.sock")


def test_a_checkout_has_one_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The name of a state folder stays, also when its clusters go; another state folder has another one."""
    first = identity.checkout()
    identity.forget(identity.create())
    again = identity.checkout()
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "other"))

    assert first == again
    assert first != identity.checkout()


def test_threads_that_ask_at_once_get_the_same_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stacks note their images side by side; the first of them makes the name, and none reads half of it."""
    for n in range(20):
        monkeypatch.setenv("KIT_HOME", str(tmp_path / str(n)))
        with ThreadPoolExecutor(8) as threads:
            names = set(threads.map(lambda _: identity.checkout(), range(16)))

        assert len(names) == 1
        assert names != {""}


def test_a_checkout_whose_name_is_empty_gets_one() -> None:
    """An empty name would be that of every image without one."""
    (paths.state() / "checkout").write_text("")

    assert identity.checkout()
    assert identity.checkout() == identity.checkout()
