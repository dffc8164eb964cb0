"""The parts of the control plane: making one of them not answer, and killing one.

A part is made silent by SIGSTOP on its process and brought back by SIGCONT.  Its clients see what they would see of one that hangs,
nothing is lost, and `heal` ends it at any time, also from another kernel.  (Moving a static pod's manifest away would also stop the
kubelet: it waits for the API server while it deletes the mirror pod.)  Forgotten, it ends by itself: after 80 s the kubelet kills
a part that fails its liveness probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kitlib.cluster.bound import Cluster
from kitlib.errors import ClusterError, UsageError
from kitlib.kube import wait
from kitlib.kube.client import Object

NAMESPACE = "kube-system"
PARTS = {  # process, and the address of its health endpoint
    "kube-scheduler": "https://127.0.0.1:10259/healthz",
    "kube-controller-manager": "https://127.0.0.1:10257/healthz",
    "etcd": "http://127.0.0.1:2381/health",
    "kube-apiserver": "https://127.0.0.1:6443/readyz",
    "kubelet": "http://127.0.0.1:10248/healthz",
}
COMM = 15  # the kernel keeps this many characters of a process' name


@contextmanager
def without(cluster: Cluster, part: str) -> Iterator[None]:
    """While the block runs, this part does not answer; afterwards it does.  Raises UsageError for an unknown part."""
    _require(part)
    try:
        cluster.on_node("pkill", "-STOP", "-x", part[:COMM])
        yield
    finally:
        heal(cluster)


def kill(cluster: Cluster, part: str) -> None:
    """Kill a part's process outright; the kubelet, or systemd for the kubelet itself, starts another.  Returns when it is gone."""
    _require(part)
    name = part[:COMM]
    cluster.on_node(
        "sh", "-c", f"old=$(pgrep -x {name}) && kill -KILL $old && timeout 20 tail -s 0.05 --pid=$old -f /dev/null"
    )


def wake(cluster: Cluster) -> None:
    """Let every silenced part go on; nothing happens to the others, nor to a node that has none yet.  Needs the node, not the API."""
    everyone = "|".join(part[:COMM] for part in PARTS)
    cluster.on_node("pkill", "-CONT", "-x", everyone, check=False)


def heal(cluster: Cluster, seconds: float = 90) -> None:
    """Wake what was silenced, and wait until every part reports that it is healthy.  Raises ClusterError when one does not."""
    wake(cluster)
    # What the API is needed for cannot be waited for by a watch of the API: the node asks, as the kubelet's probes do.
    asks = " ".join(f"until curl -sfk -m 1 -o /dev/null {url}; do sleep 0.1; done;" for url in PARTS.values())
    try:
        cluster.on_node("timeout", f"{seconds:.0f}", "sh", "-c", asks)
    except ClusterError as e:
        silent = [part for part, url in PARTS.items() if not _well(cluster, url)]
        raise ClusterError(
            f"not healthy after {seconds:.0f} s: {', '.join(silent)}", observed=e.observed, hint="./kit status"
        ) from e


def require_ready(cluster: Cluster, seconds: float = 120) -> None:
    """Wait until all parts are healthy, and the API shows their pods and the node as Ready.  Raises ClusterError or WaitTimeout."""
    heal(cluster, seconds)
    ready = wait.condition("Ready")
    wait.until(cluster.kube, "Node", cluster.node, done=ready, what="Ready", seconds=seconds)
    for pod in static_pods(cluster):
        wait.until(cluster.kube, "Pod", pod["metadata"]["name"], NAMESPACE, done=ready, what="Ready", seconds=seconds)


def static_pods(cluster: Cluster) -> list[Object]:
    """The control plane's pods, which the kubelet runs from files and only shows to the API."""
    return cluster.kube.list("Pod", NAMESPACE, labels="tier=control-plane")


def _well(cluster: Cluster, url: str) -> bool:
    return (
        cluster.on_node("curl", "-sfk", "-m", "2", "-w", "%{http_code}", "-o", "/dev/null", url, check=False) == "200"
    )


def _require(part: str) -> None:
    if part not in PARTS:
        raise UsageError(f"{part!r} is no part of the control plane", hint=f"one of {', '.join(PARTS)}")
