"""What is wrong with the pods of a stack, one line per container with the next step."""

from __future__ import annotations

from collections.abc import Iterable

from kitlib.cluster.bound import Cluster
from kitlib.kube import wait
from kitlib.kube.client import Object

# runc's words where the memory does not even do for its own start; the reason is StartError then
KILLED_AT_BIRTH = "OOM-killed"


def troubles(cluster: Cluster, namespaces: Iterable[str]) -> list[str]:
    """One line per container that does not run as it should; [] when all do."""
    return [line for name in namespaces for pod in cluster.kube.list("Pod", name) for line in wrong(pod)]


def wrong(pod: Object) -> list[str]:
    """One line per container of the pod that does not run as it should; [] when all do, and when the pod is ending."""
    if wait.condition("Ready")(pod) or "deletionTimestamp" in pod["metadata"]:  # a pod that is ending is not a problem
        return []
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    look = f"cluster.kube.logs('{name}', '{namespace}', previous=True) shows its last words"
    said = []
    for status in pod.get("status", {}).get("containerStatuses", []):
        ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled" or KILLED_AT_BIRTH in ended.get("message", ""):
            said.append(f"{name} was killed for its memory: raise its limit in cluster/stacks")
        elif ended:
            said.append(f"{name} ended with {ended.get('exitCode')}, {status['restartCount']} restarts: {look}")
    return said or [f"{name} is not ready: kubectl -n {namespace} describe pod {name}"]
