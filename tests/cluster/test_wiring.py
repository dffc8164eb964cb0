"""Names, network and addresses on the real engine: containers stand where nodes and registry would, and run nothing but `sleep`."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kitlib.cluster import lifecycle, local_registry, wiring
from kitlib.cluster.bound import Cluster
from kitlib.engine.client import Engine
from kitlib.errors import ClusterError
from kitlib.host import identity
from kitlib.host.identity import Identity
from kitlib.supply import builder

ROLES = ("worker", "control-plane")  # in the order in which they are started, so the control plane does not come first


@pytest.fixture
def engine(cluster: Cluster) -> Engine:
    return cluster.engine


@pytest.fixture
def record(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Identity]:
    """A cluster with a network, two nodes and a registry, in a state folder of its own; removed afterwards."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_CLUSTER", f"kit-test-{secrets.token_hex(3)}")
    made = identity.create("two-node", engine=engine.id, host=engine.host).noted(kube_system="uid", proved=True)
    try:
        wiring.join(engine, made)
        for role in ROLES:
            _node(engine, made, role)
        volume = engine.client.volumes.create(local_registry.volume(made), labels=made.labels)
        mounted = {volume.name: {"bind": "/data"}}
        _run(engine, made, local_registry.name(made), labels=made.labels, volumes=mounted)
        yield made
    finally:
        lifecycle.down()


def _run(engine: Engine, record: Identity, name: str, **how: Any) -> Any:
    image = builder.ensure(engine, ["debian"])["debian"]
    container = engine.client.containers.create(
        image, ["sleep", "600"], name=name, network=record.cluster, stop_signal="SIGKILL", **how
    )
    container.start()
    container.reload()
    return container


def _node(engine: Engine, record: Identity, role: str) -> None:
    """A node as kind would make it, which notes the address that it got at first."""
    labels = {"io.x-k8s.kind.role": role, "io.x-k8s.kind.cluster": record.cluster}
    mounted = {str(record.folder): {"bind": "/kit/owner", "mode": "ro"}}
    container = _run(engine, record, f"{record.cluster}-{role}", labels=labels, volumes=mounted)
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            about = tarfile.TarInfo(wiring.FLAGS.lstrip("/"))
            content = f'KUBELET_KUBEADM_ARGS="--node-ip={_at(container, record)} --node-labels="'.encode()
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
        container.put_archive("/", buffer.getvalue())


def _at(container: Any, record: Identity) -> str:
    return str(container.attrs["NetworkSettings"]["Networks"][record.cluster]["IPAddress"])


def _parts(engine: Engine, record: Identity) -> dict[str, Any]:
    return {name: engine.client.containers.get(f"{record.cluster}-{name}") for name in (*ROLES, "registry")}


def _addresses(engine: Engine, record: Identity) -> dict[str, str]:
    return {name: _at(part, record) for name, part in _parts(engine, record).items()}


def _joined(engine: Engine, record: Identity) -> Identity:
    """After `join`, with everything started in whatever order."""
    after = wiring.join(engine, record)
    for part in _parts(engine, record).values():
        wiring.run(part)
    return after


def test_what_is_as_it_was_is_left_alone(engine: Engine, record: Identity) -> None:
    """Nothing is stopped or changed when names, network and addresses are right."""
    before = {name: part.attrs["State"]["StartedAt"] for name, part in _parts(engine, record).items()}

    assert wiring.join(engine, record) == record
    assert before == {name: part.attrs["State"]["StartedAt"] for name, part in _parts(engine, record).items()}


def test_a_network_that_was_removed(engine: Engine, record: Identity) -> None:
    """Everything stopped and the network removed: a network again, and the same addresses for the nodes."""
    before = _addresses(engine, record)
    for part in _parts(engine, record).values():
        part.stop(timeout=1)
    engine.client.networks.get(record.cluster).remove()
    after = _joined(engine, record)
    found = _addresses(engine, record)

    assert {role: found[role] for role in ROLES} == {role: before[role] for role in ROLES}
    assert found["registry"]
    assert after == record.noted(proved=False)


def test_nodes_that_were_started_in_another_order(engine: Engine, record: Identity) -> None:
    """Nodes and registry that took each other's addresses get their own again, and keep them from then on in any order."""
    before = _addresses(engine, record)
    parts = _parts(engine, record)
    for part in parts.values():
        part.stop(timeout=1)
    for name in ("control-plane", "registry", "worker"):
        parts[name].start()
    swapped = _addresses(engine, record)
    _joined(engine, record)
    for part in parts.values():
        part.stop(timeout=1)
    for name in ("registry", "control-plane", "worker"):
        parts[name].start()
    found = _addresses(engine, record)

    assert all(swapped[name] != before[name] for name in swapped)
    assert {role: found[role] for role in ROLES} == {role: before[role] for role in ROLES}
    assert wiring.join(engine, identity.load() or record).proved is False


def test_stopped_parts_are_started_with_their_addresses(engine: Engine, record: Identity) -> None:
    """After a restart of the machine the order does not matter: `join` gives each node its address before anything runs."""
    before = _addresses(engine, record)
    for part in _parts(engine, record).values():
        part.stop(timeout=1)
    wiring.join(engine, record)
    parts = _parts(engine, record)
    for name in ("registry", "control-plane", "worker"):
        parts[name].start()
    found = _addresses(engine, record)

    assert {role: found[role] for role in ROLES} == {role: before[role] for role in ROLES}


@pytest.mark.parametrize("name", [*ROLES, "registry"])
def test_a_part_that_was_taken_off_the_network(name: str, engine: Engine, record: Identity) -> None:
    """A running node or registry that was disconnected is on the network again, a node with its address."""
    before = _addresses(engine, record)
    engine.client.networks.get(record.cluster).disconnect(f"{record.cluster}-{name}", force=True)
    _joined(engine, record)
    found = _addresses(engine, record)

    assert {role: found[role] for role in ROLES} == {role: before[role] for role in ROLES}
    assert found["registry"]


@pytest.mark.parametrize("name", [*ROLES, "registry"])
def test_a_part_that_was_renamed(name: str, engine: Engine, record: Identity) -> None:
    """Nodes and registry are known by what they carry, and called as they were."""
    part = _parts(engine, record)[name]
    part.rename(f"{record.cluster}-elsewhere")
    wiring.join(engine, record)

    assert _parts(engine, record)[name].id == part.id


def test_a_part_that_was_paused(engine: Engine, record: Identity) -> None:
    """A paused node runs again; `down` also removes one."""
    for part in _parts(engine, record).values():
        part.pause()
    _joined(engine, record)

    assert {part.status for part in _parts(engine, record).values()} == {"running"}
    for part in _parts(engine, record).values():
        part.pause()


def test_a_stranger_with_a_nodes_address(engine: Engine, record: Identity) -> None:
    """A container of others that has a node's address is not touched: the error names it, and how to take it off the network."""
    control_plane = _parts(engine, record)["control-plane"]
    control_plane.stop(timeout=1)
    stranger = _run(engine, record, f"stranger-{record.mark}")
    try:
        with pytest.raises(ClusterError, match=stranger.name) as caught:
            wiring.join(engine, record)
        stranger.reload()

        assert stranger.status == "running"
        assert caught.value.hint.startswith(f"docker network disconnect -f {record.cluster} {stranger.name}")
    finally:
        stranger.remove(force=True)


def test_a_range_that_another_network_has_taken(engine: Engine, record: Identity) -> None:
    """Nodes whose addresses cannot be restored have to be recreated: the record says so by having no identity."""
    for part in _parts(engine, record).values():
        part.stop(timeout=1)
    engine.client.networks.get(record.cluster).remove()
    taker = engine.client.networks.create(f"taker-{record.mark}", driver="bridge")  # the range that is free now
    try:
        after = wiring.join(engine, record)

        assert after.kube_system == ""
        assert engine.client.networks.list(names=[f"^{record.cluster}$"])
    finally:
        taker.remove()
