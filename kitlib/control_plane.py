"""The parts that run the cluster: which there are, what happens while one does not answer, and after one was killed.

A part is made silent by SIGSTOP on its process and brought back by SIGCONT.  Its clients see what they would see of one that hangs,
nothing is lost, and `heal` ends it at any time, also from another kernel.  (Moving a static pod's manifest away would stop the kubelet,
too: it waits for the API server while it deletes the mirror pod.)  Forgotten, it ends by itself: after 80 s the kubelet kills
a part that fails its liveness probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kitlib import wait
from kitlib.cluster import Cluster
from kitlib.drawing import Box, Drawing
from kitlib.errors import ClusterError, UsageError
from kitlib.kube import Object

NAMESPACE = "kube-system"
PARTS = {  # process, and where it says that it is well
    "kube-scheduler": "https://127.0.0.1:10259/healthz",
    "kube-controller-manager": "https://127.0.0.1:10257/healthz",
    "etcd": "http://127.0.0.1:2381/health",
    "kube-apiserver": "https://127.0.0.1:6443/readyz",
    "kubelet": "http://127.0.0.1:10248/healthz",
}
SERVICES = ("kubelet", "containerd")
COMM = 15  # so much of a process' name the kernel keeps


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
    """Let every silenced part go on; nothing happens to the others.  Needs the node, not the API."""
    everyone = "|".join(part[:COMM] for part in PARTS)
    cluster.on_node("pkill", "-CONT", "-x", everyone)


def heal(cluster: Cluster, seconds: float = 90) -> None:
    """Wake what was silenced, and wait until every part says that it is well.  Raises ClusterError when one does not."""
    wake(cluster)
    # What the API is needed for cannot be waited for by a watch of the API: the node asks, as the kubelet's probes do.
    asks = " ".join(f"until curl -sfk -m 1 -o /dev/null {url}; do sleep 0.1; done;" for url in PARTS.values())
    try:
        cluster.on_node("timeout", f"{seconds:.0f}", "sh", "-c", asks)
    except ClusterError as e:
        silent = [part for part, url in PARTS.items() if not _well(cluster, url)]
        raise ClusterError(
            f"not well after {seconds:.0f} s: {', '.join(silent)}", observed=e.observed, hint="./kit status"
        ) from e


def require_ready(cluster: Cluster, seconds: float = 120) -> None:
    """All parts are well, and the API shows their pods and the node as Ready.  Raises ClusterError or WaitTimeout."""
    heal(cluster, seconds)
    ready = wait.condition("Ready")
    wait.until(cluster.kube, "Node", cluster.node, done=ready, what="Ready", seconds=seconds)
    for pod in static_pods(cluster):
        wait.until(cluster.kube, "Pod", pod["metadata"]["name"], NAMESPACE, done=ready, what="Ready", seconds=seconds)


def static_pods(cluster: Cluster) -> list[Object]:
    """The control plane's pods, which the kubelet runs from files and only shows to the API."""
    return cluster.kube.list("Pod", NAMESPACE, labels="tier=control-plane")


def draw(cluster: Cluster) -> Drawing:
    """What runs the cluster, as it runs now: pods that the kubelet makes from files, and services of the node."""
    pods = Box("static pods, from /etc/kubernetes/manifests", tuple(_pod(cluster, pod) for pod in static_pods(cluster)))
    services = Box("services of the node, started by systemd", tuple(_service(cluster, name) for name in SERVICES))
    return Drawing(f"what runs {cluster.owner.cluster}", (pods, services))


def _pod(cluster: Cluster, pod: Any) -> tuple[str, bool]:
    (container,) = pod["spec"]["containers"]
    (status,) = pod["status"]["containerStatuses"]
    port = next((p["containerPort"] for p in container.get("ports", [])), "unknown")
    name, version = pod["metadata"]["labels"]["component"], container["image"].rpartition(":")[2]
    text = f"{name} {version}: port {port}, {_process(cluster, name)}, {status['restartCount']} restarts"
    return text, wait.condition("Ready")(pod)


def _service(cluster: Cluster, name: str) -> tuple[str, bool]:
    active = cluster.on_node("systemctl", "is-active", name, check=False).strip()
    return f"{name}: {active}, {_process(cluster, name)}", active == "active"


def _process(cluster: Cluster, part: str) -> str:
    """Of the part's oldest process: number and memory (resident set)."""
    found = cluster.on_node("ps", "-C", part[:COMM], "-o", "pid=,rss=", "--sort=start_time", check=False).split()
    return f"process {found[0]}, {int(found[1]) * 1024 / 1e6:.0f} MB" if found else "no process"


def _well(cluster: Cluster, url: str) -> bool:
    return (
        cluster.on_node("curl", "-sfk", "-m", "2", "-w", "%{http_code}", "-o", "/dev/null", url, check=False) == "200"
    )


def _require(part: str) -> None:
    if part not in PARTS:
        raise UsageError(f"{part!r} is no part of the control plane", hint=f"one of {', '.join(PARTS)}")
