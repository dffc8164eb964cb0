"""The two-node profile on the real engine: pods run on both nodes, reach each other, and move when a node is drained."""

from collections.abc import Iterator
from typing import Any

import pytest

from kitlib.cluster import lifecycle, ready
from kitlib.cluster.bound import Cluster
from kitlib.errors import UsageError
from kitlib.host import identity
from kitlib.kube import wait
from kitlib.workloads import app, traffic


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two nodes with a state folder of its own; removed afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_HOME", str(tmp_path_factory.mktemp("two") / "home"))
        patch.setenv("KIT_CLUSTER", "kit-test-two")
        try:
            yield lifecycle.up("two-node")
        finally:
            lifecycle.down()


def test_pods_spread_and_answer_across_nodes(two: Cluster) -> None:
    """The base's spread constraint puts replicas on both nodes, and a client on one of them is answered by all."""
    namespace = two.namespace("spread", fresh=True)
    namespace.apply(*app.manifests("web", two.image("goapp-distroless"), replicas=4, treatments=["quick-exit"]))
    app.roll_out(namespace, "web")
    pods = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in app.pods(namespace, "web")}
    with traffic.open_loop(namespace, "http://web/items", rate=50, seconds=4, keepalive=False) as load:
        pass
    answers = load.results()

    assert set(two.nodes) == set(pods.values())
    assert set(pods) == set(answers["served_by"])
    assert answers["ok"].all(), answers[~answers["ok"]]


def test_up_keeps_the_profile(two: Cluster) -> None:
    """`up` without a profile keeps what is there; with another one it says what to do, and changes nothing."""
    assert two.identity == lifecycle.up().identity
    with pytest.raises(UsageError, match="with the profile two-node"):
        lifecycle.up("one-node")


def _stopped(two: Cluster) -> list[Any]:
    """Nodes and registry, which do not run any more."""
    parts = [two.engine.client.containers.get(name) for name in (*two.nodes, f"{two.identity.cluster}-registry")]
    for part in parts:
        part.stop(timeout=30)
    return parts


def _same(two: Cluster) -> Cluster:
    """After `up`: the same cluster as before, with its objects, and all of its nodes Ready."""
    again = lifecycle.up()

    assert (again.identity.ca, again.identity.kube_system) == (two.identity.ca, two.identity.kube_system)
    assert all(wait.condition("Ready")(again.kube.get("Node", node)) for node in again.nodes)
    return again


def test_up_after_the_network_was_removed(two: Cluster) -> None:
    """Everything stopped and the cluster's network removed: `up` has the same cluster again."""
    _stopped(two)
    two.engine.client.networks.get(two.identity.cluster).remove()
    _same(two)


def test_up_after_nodes_were_started_in_another_order(two: Cluster) -> None:
    """Nodes that took each other's addresses get theirs again, and the API server with them."""
    control_plane, worker, registry = _stopped(two)
    for part in (registry, worker, control_plane):
        part.start()
    _same(two)


def test_up_after_nodes_were_paused_and_renamed(two: Cluster) -> None:
    """A node that was paused, one that was renamed, and a kubeconfig that was deleted cost nothing."""
    control_plane, worker = (two.engine.client.containers.get(name) for name in two.nodes)
    control_plane.pause()
    worker.rename(f"{two.identity.cluster}-elsewhere")
    identity.kubeconfig().unlink()
    _same(two)


def test_up_after_the_registry_was_removed(two: Cluster) -> None:
    """A registry that was removed, with all that it stored, is made again, and nodes can pull from it."""
    registry = two.engine.client.containers.get(f"{two.identity.cluster}-registry")
    (volume,) = [mount["Name"] for mount in registry.attrs["Mounts"]]
    registry.remove(force=True)
    two.engine.client.volumes.get(volume).remove()
    ready.wait_all(_same(two))


FREEZE = """\
one=$(find /sys/fs/cgroup -type d -path '*kubepods*/*pod*' \\( -path '*/freezer/*' -o -name '*.slice' \\) | tail -n 1)
if [ -e "$one/freezer.state" ]; then echo FROZEN > "$one/freezer.state"; else echo 1 > "$one/cgroup.freeze"; fi
echo "$one"
"""


def test_down_takes_a_node_with_a_frozen_pod(two: Cluster) -> None:
    """runc can leave a pod frozen, whose processes cannot be killed on cgroup v1: `down` removes the node all the same."""
    frozen = two.on_node("sh", "-c", FREEZE, node=two.nodes[1])
    lifecycle.down()

    assert "pod" in frozen
    assert not [c for c in two.engine.client.containers.list(all=True) if c.name in two.nodes]
