"""Pods that pull from the private registry: what each node has to know of it, and the state of a pod."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.private_registry.files import HOST, login_json
from kitlib.private_registry.server import Private

FOLDER = f"/etc/containerd/certs.d/{HOST}"  # read at each pull, so nothing restarts
REFUSED = ("ErrImagePull", "ImagePullBackOff")
SECRET = "private-registry"  # noqa: S105  (the name of a Secret)


def hosts(private: Private) -> str:
    """The node's hosts.toml: where images called private.kit.local/... are, and which authority to trust there."""
    return f'server = "https://{private.container.name}:5000"\nca = "{FOLDER}/ca.crt"\n'


def trust(private: Private) -> None:
    """Configure on every node where the registry is and that its authority is trusted.  No password: each pod has its own."""
    for node in private.cluster.nodes:
        for name, text in {"hosts.toml": hosts(private), "ca.crt": private.ca.read_text()}.items():
            script = f"mkdir -p {FOLDER} && printf '%s' \"$1\" > {FOLDER}/{name}"
            private.cluster.on_node("sh", "-c", script, "write", text, node=node)


def forget(cluster: Cluster) -> None:
    """Undo `trust`, and remove the private registry's images from the nodes."""
    for node in cluster.nodes:
        cluster.on_node("rm", "-rf", FOLDER, node=node)
    unload(cluster)


def unload(cluster: Cluster, repository: str = "") -> None:
    """Remove images of the private registry from the nodes.  repository: by default all."""
    images = f"ctr -n k8s.io images list -q | grep '^{HOST}/{repository}'"
    for node in cluster.nodes:
        cluster.on_node("sh", "-c", f"{images} | xargs -r ctr -n k8s.io images remove --sync", node=node)


def secret(private: Private, name: str = SECRET, *, host: str = HOST) -> Object:
    """The Secret that lets a pod pull.  host: the registry for whose images the kubelet uses it."""
    config = login_json(private.password, host)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": name},
        "data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()},
    }


def pod(name: str, image: str, *, secret: str = "") -> Object:
    """A pod that sleeps, of an image (repository:tag or repository@digest) of the private registry."""
    container = {"name": "main", "image": f"{HOST}/{image}", "command": ["sleep", "3600"], "imagePullPolicy": "Always"}
    spec: Object = {"containers": [container], "terminationGracePeriodSeconds": 0}
    if secret:
        spec["imagePullSecrets"] = [{"name": secret}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@dataclass(frozen=True)
class Pulled:
    """The state of a pod: reason is empty when it runs; said: the kubelet's message."""

    pod: str
    reason: str
    said: str


def outcome(namespace: Namespace, manifest: Object, *, seconds: float = 60) -> Pulled:
    """Apply a pod; return as soon as it runs, or its image is refused."""
    namespace.apply(manifest)
    name = manifest["metadata"]["name"]
    reason, said = waiting(decided(namespace, name, seconds=seconds))
    return Pulled(name, reason if reason in REFUSED else "", said)


def decided(namespace: Namespace, name: str, *, seconds: float = 60) -> Object | None:
    """A pod as soon as it runs, or its image is refused.  Raises WaitTimeout."""
    return wait.until(
        namespace.cluster.kube, "Pod", name, namespace.name, done=_decided, what="running or refused", seconds=seconds
    )


def _decided(pod: Object | None) -> bool:
    return wait.phase("Running")(pod) or waiting(pod)[0] in REFUSED


def waiting(pod: Object | None) -> tuple[str, str]:
    """Reason and message of the state that the pod's container waits in; both empty when it does not wait."""
    for status in (pod or {}).get("status", {}).get("containerStatuses", []):
        waiting = status["state"].get("waiting", {})
        return waiting.get("reason", ""), waiting.get("message", "")
    return "", ""
