"""A drawing of the control plane's parts, as they run now."""

from __future__ import annotations

from typing import Any

from kitlib.cluster.bound import Cluster
from kitlib.cluster.control_plane import COMM, static_pods
from kitlib.kube import wait
from kitlib.views.drawing import Box, Drawing

SERVICES = ("kubelet", "containerd")


def draw(cluster: Cluster) -> Drawing:
    """Draw the control plane's parts, as they run now: pods that the kubelet makes from files, and services of the node."""
    pods = Box("static pods, from /etc/kubernetes/manifests", tuple(_pod(cluster, pod) for pod in static_pods(cluster)))
    services = Box("services of the node, started by systemd", tuple(_service(cluster, name) for name in SERVICES))
    return Drawing(f"what runs {cluster.identity.cluster}", (pods, services))


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
