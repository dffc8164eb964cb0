"""The two-node profile on the real engine: pods run on both nodes, reach each other, and move when a node is drained."""

from collections.abc import Iterator

import pytest

from kitlib import app, lifecycle, traffic
from kitlib.cluster import Cluster
from kitlib.errors import UsageError


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
    space = two.space("spread", fresh=True)
    space.apply(*app.manifests("web", two.image("goapp-distroless"), replicas=4, treatments=["quick-exit"]))
    app.roll_out(space, "web")
    pods = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in app.pods(space, "web")}
    with traffic.open_loop(space, "http://web/items", rate=50, seconds=4, keepalive=False) as load:
        pass
    answers = load.results()

    assert set(two.nodes) == set(pods.values())
    assert set(pods) == set(answers["served_by"])
    assert answers["ok"].all(), answers[~answers["ok"]]


def test_up_keeps_the_profile(two: Cluster) -> None:
    """`up` without a profile keeps what is there; with another one it says what to do, and changes nothing."""
    assert two.owner == lifecycle.up().owner
    with pytest.raises(UsageError, match="as two-node"):
        lifecycle.up("one-node")


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
