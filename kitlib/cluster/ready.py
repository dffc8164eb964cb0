"""When is a cluster ready?  API answers, node Ready, DNS resolves in a pod, a claim binds, the node pulls from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitlib.errors import WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object

if TYPE_CHECKING:
    from kitlib.cluster.bound import Cluster

PROBE = "kit-ready"
IMAGE = "alpine"


def wait_api(cluster: Cluster, seconds: float = 120) -> None:
    """Wait until the API server answers and every node is Ready."""
    for node in cluster.nodes:
        wait.until(cluster.kube, "Node", node, done=wait.condition("Ready"), what="Ready", seconds=seconds)


def wait_all(cluster: Cluster) -> None:
    """Wait for everything that a chapter relies on, proved by one pod that uses it all.  Raises WaitTimeout with what was observed."""
    wait_api(cluster)
    namespace = cluster.namespace("ready", fresh=True)
    namespace.apply(*_probe(cluster.image(IMAGE)))
    done = wait.until(
        cluster.kube, "Pod", PROBE, namespace.name, done=wait.phase("Succeeded", "Failed"), what="finished", seconds=120
    )
    if done is None or done["status"]["phase"] != "Succeeded":
        raise WaitTimeout(
            "DNS or storage does not work in a pod",
            observed=wait.explain(cluster.kube, namespace.name),
            hint="./kit down, then ./kit up",
        )
    cluster.kube.relied_on.discard(namespace.name)
    cluster.kube.delete(namespace.ref)  # the pod ends by itself, and the caller need not wait for that


def _probe(image: str) -> list[Object]:
    """A claim, and a pod that resolves a service's name and writes to the claim.

    Service addresses answer some seconds after CoreDNS is available, so the pod asks again; it has no other way to know.
    """
    labels = {"app.kubernetes.io/name": PROBE, "app.kubernetes.io/component": "probe"}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": PROBE, "labels": labels},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    ask = "timeout 1 nslookup kubernetes.default.svc.cluster.local"
    script = f"for i in $(seq 60); do {ask} && exec touch /data/ready; sleep 0.2; done; exit 1"
    container = {
        "name": "probe",
        "image": image,
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": PROBE, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "containers": [container],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": PROBE}}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        },
    }
    return [claim, pod]
