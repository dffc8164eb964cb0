"""The cluster on the real engine: idempotent, resumable, its own, and gone without a trace."""

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.cluster import bound as clusters
from kitlib.cluster import lifecycle, ready
from kitlib.cluster.bound import Cluster
from kitlib.engine import client as engines
from kitlib.errors import ClusterError, NotOurs
from kitlib.host import identity
from kitlib.host.identity import LABEL
from kitlib.kube import wait
from kitlib.supply import images

KIT = [sys.executable, "-m", "kitlib"]


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The name of a second cluster with a state folder of its own; removed afterwards."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    name = f"kit-test-{secrets.token_hex(3)}"
    monkeypatch.setenv("KIT_CLUSTER", name)
    yield name
    lifecycle.down()


def test_up_again_changes_nothing(cluster: Cluster) -> None:
    """A second `up` binds the same cluster: same record, same pods."""
    before = {p["metadata"]["uid"] for p in cluster.kube.list("Pod", "kube-system")}
    again = lifecycle.up()

    assert cluster.identity == again.identity
    assert before == {p["metadata"]["uid"] for p in again.kube.list("Pod", "kube-system")}


def test_ready_means_dns_storage_and_registry(cluster: Cluster) -> None:
    """A pod whose image came through the registry resolves a name and writes to a claim; asked of the cluster again."""
    ready.wait_all(cluster)

    assert [line for line in wait.explain(cluster.kube) if line.startswith("pod ")] == []


def test_no_pod_is_frozen_to_be_limited(cluster: Cluster) -> None:
    """On cgroup v1, runc would freeze a container while systemd sets its limits: in the kit's own node image, systemd does not."""
    by_systemd = cluster.on_node("find", "/sys/fs/cgroup", "-type", "d", "-path", "*.slice/*kubepods*/*pod*")

    assert bool(by_systemd) == (engines.describe()["cgroup"] == "v2" or images.image("node").pulled)


def test_kubeconfig_is_private(cluster: Cluster) -> None:
    """The kubeconfig is readable by its owner only."""
    assert cluster.identity.cluster == identity.cluster_name()
    assert identity.kubeconfig().stat().st_mode & 0o777 == 0o600


def test_another_identity_is_refused(cluster: Cluster) -> None:
    """A cluster that answers, but is not the recorded one, is not bound."""
    record = identity.load()
    assert record
    try:
        record.noted(kube_system="00000000-0000-0000-0000-000000000000")

        with pytest.raises(NotOurs):
            clusters.bind()
    finally:
        record.noted()

    assert clusters.bind().identity == cluster.identity


@pytest.mark.parametrize("part", ["control-plane", "control-plane2", "worker3", "external-load-balancer", "registry"])
def test_a_foreign_container_is_refused_and_left_alone(cluster: Cluster, other: str, part: str) -> None:
    """A container that has a name the kit needs, and not its mark, stops `up` and `down`, and survives both."""
    image = cluster.engine.client.images.get(images.image("alpine").reference)
    foreign = cluster.engine.client.containers.create(image, ["sleep", "60"], name=f"{other}-{part}")
    try:
        for command in (lifecycle.up, lifecycle.down):
            with pytest.raises(NotOurs, match="left alone"):
                command()

        assert cluster.engine.client.containers.get(foreign.id).name == f"{other}-{part}"
    finally:
        foreign.remove(force=True)


def test_a_foreign_namespace_is_refused_and_left_alone(cluster: Cluster) -> None:
    """A namespace with the kit's name that the kit did not make is neither used nor deleted."""
    (ref,) = cluster.kube.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kit-foreign"}}])
    try:
        with pytest.raises(NotOurs):
            cluster.namespace("foreign", fresh=True)

        found = cluster.kube.get("Namespace", "kit-foreign")
        assert found and found["metadata"]["uid"] == ref.uid
    finally:
        cluster.kube.delete(ref)


def test_the_users_configuration_is_untouched(cluster: Cluster, tmp_path: Path) -> None:
    """kubectl's and Docker's configuration are byte for byte what they were, after status, up and an image build."""
    home = tmp_path / "home"
    planted = {
        home / ".kube" / "config": "apiVersion: v1\nkind: Config\n",
        home / ".docker" / "config.json": '{"auths": {}}\n',
    }
    for file, text in planted.items():
        file.parent.mkdir(parents=True)
        file.write_text(text)
    environment = {**os.environ, "HOME": str(home), "KIT_CACHE": str(paths.cache()), "KIT_HOME": str(paths.state())}
    for words in (["status"], ["up"], ["images", "build", "goapp-scratch"]):
        subprocess.run([*KIT, *words], env=environment, check=True, capture_output=True, cwd=paths.ROOT)

    assert planted == {file: file.read_text() for file in planted}
    assert {f for f in home.rglob("*") if f.is_file()} == set(planted)
    assert cluster.identity == clusters.bind().identity


def test_a_killed_up_is_resumed_and_down_leaves_nothing(cluster: Cluster, other: str) -> None:
    """SIGKILL while kind works, then `up` again: a cluster.  `down`: no container, network, volume or file of it is left."""
    with subprocess.Popen([*KIT, "up"], stderr=subprocess.PIPE, text=True, cwd=paths.ROOT) as first:
        assert first.stderr
        for line in first.stderr:
            if line.startswith("creating cluster"):
                _until_container(cluster, f"{other}-control-plane")
                first.send_signal(signal.SIGKILL)
                break
    interrupted = identity.load()
    assert interrupted and not interrupted.kube_system
    resumed = lifecycle.up()
    mark = resumed.identity.mark

    assert mark == interrupted.mark
    assert resumed.kube.get("Node", resumed.node)

    home = identity.home()
    lifecycle.down()

    client = cluster.engine.client
    assert client.containers.list(all=True, filters={"name": other}) == []
    assert client.containers.list(all=True, filters={"label": f"{LABEL}={mark}"}) == []
    assert client.networks.list(filters={"label": f"{LABEL}={mark}"}) == []
    assert client.volumes.list(filters={"label": f"{LABEL}={mark}"}) == []
    assert not home.exists()
    with pytest.raises(ClusterError, match="no cluster yet"):
        clusters.bind()


def _until_container(cluster: Cluster, name: str) -> None:
    """Return when the engine reports that a container of this name was started."""
    events = cluster.engine.client.events(
        since=0, decode=True, filters={"type": "container", "event": "start", "container": name}
    )
    next(events)
    events.close()


def test_concurrent_commands_take_turns(cluster: Cluster) -> None:
    """Two `up` at once both succeed, one after the other, on the same cluster."""
    both = [subprocess.Popen([*KIT, "up"], stderr=subprocess.PIPE, text=True, cwd=paths.ROOT) for _ in range(2)]
    said = [process.communicate()[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert cluster.identity == clusters.bind().identity


def test_a_final_image_does_not_carry_the_machines_trust(cluster: Cluster) -> None:
    """The machine's CA bundle is in builders only; every other image has Debian's own, or none."""
    engine = cluster.engine
    pristine = _bundle(engine, "debian")
    assert pristine
    for name in images.common():
        if name in ("golang", "goapp-single-stage"):  # these two are builders: they are the first stage itself
            continue
        assert _bundle(engine, name) in (pristine, ""), name


def _bundle(engine: engines.Engine, name: str) -> str:
    container = engine.client.containers.create(images.image(name).reference, ["none"])
    try:
        stream, _ = container.get_archive("/etc/ssl/certs/ca-certificates.crt")
    except Exception as e:
        if "Could not find" in str(e):
            return ""
        raise
    else:
        return hashlib.sha256(b"".join(stream)[512:]).hexdigest()
    finally:
        container.remove()


def test_status_and_doctor_speak_json(cluster: Cluster) -> None:
    """`status --json` and `doctor --json` give data that a script can read."""
    status = json.loads(
        subprocess.run([*KIT, "status", "--json"], check=True, capture_output=True, text=True, cwd=paths.ROOT).stdout
    )
    doctor = subprocess.run([*KIT, "doctor", "--json"], capture_output=True, text=True, cwd=paths.ROOT)

    assert status["cluster"]["name"] == cluster.identity.cluster
    assert {"engine", "disk", "memory", "ports", "cgroups", "inotify"} == {f["name"] for f in json.loads(doctor.stdout)}
