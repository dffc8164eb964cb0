"""The cluster's nodes: how many a profile has, what kind calls them, and what each needs so that pods on different nodes meet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kitlib.cluster import local_registry
from kitlib.engine import commands
from kitlib.errors import ClusterError
from kitlib.supply import images

if TYPE_CHECKING:
    from kitlib.cluster.bound import Cluster
    from kitlib.engine.client import Engine

THAW = "find /sys/fs/cgroup/freezer/kubelet* -name freezer.state -exec sh -c 'echo THAWED > $1' sh {} ';' 2>/dev/null; true"
CONFLIST = "/etc/cni/net.d/10-kit.conflist"  # of the node image from packages; upstream's brings kindnet, which does all this itself


def connect(cluster: Cluster) -> None:
    """Set on each node where kit.local/... is, and the routes to the other nodes' pods.  Call it after each restart, which loses routes."""
    hosts = f'server = "http://{local_registry.name(cluster.identity)}:5000"\n'
    folder = f"/etc/containerd/certs.d/{images.PREFIX}"  # read at each pull, so nothing restarts
    for node in cluster.nodes:
        cluster.on_node("sh", "-c", f"mkdir -p {folder} && printf '%s' '{hosts}' > {folder}/hosts.toml", node=node)
    if len(cluster.nodes) > 1:
        _network(cluster)


def thaw(engine: Engine, node: str) -> None:
    """Resume pods of this node that runc left frozen: on cgroup v1 a frozen process cannot be killed, and the node cannot be removed."""
    commands.run(engine, node, ["sh", "-c", THAW])


def _network(cluster: Cluster) -> None:
    """Without a CNI daemon: each node hands out addresses of its own range, and has a route to every other node's."""
    ours = cluster.on_node("sh", "-c", f"cat {CONFLIST} 2>/dev/null || true")
    if not ours:
        return
    ranges = {node: _addresses(cluster, node) for node in cluster.nodes}
    for node, (pods, _) in ranges.items():
        cluster.on_node("sh", "-c", f"printf '%s' '{_with_range(ours, pods)}' > {CONFLIST}", node=node)
        for other, (there, address) in ranges.items():
            if other != node:
                cluster.on_node("ip", "route", "replace", there, "via", address, node=node)


def _addresses(cluster: Cluster, node: str) -> tuple[str, str]:
    """(range of its pods, its own address)."""
    found: Any = cluster.kube.get("Node", node)
    if found is None or "podCIDR" not in found["spec"]:
        raise ClusterError(f"node {node} has no range of pod addresses", hint="./kit down, then ./kit up")
    return found["spec"]["podCIDR"], next(
        a["address"] for a in found["status"]["addresses"] if a["type"] == "InternalIP"
    )


def _with_range(conflist: str, pods: str) -> str:
    """The CNI configuration with another range for host-local."""
    config = json.loads(conflist)
    config["plugins"][0]["ipam"]["ranges"] = [[{"subnet": pods}]]
    return json.dumps(config)
