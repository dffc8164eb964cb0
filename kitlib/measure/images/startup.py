"""How long does a pod take from scheduled to ready, when its image is not on the node yet?"""

from __future__ import annotations

import hashlib
import time

from kitlib.claims.levels import takes
from kitlib.cluster import local_registry
from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError, WaitTimeout
from kitlib.kube import wait
from kitlib.supply import images
from kitlib.workloads import app

SECONDS = 120.0
CTR = ("ctr", "-n", "k8s.io")
GARBAGE = "kit.local/garbage:1"


@takes({"compressed_mb": "MB"}, name=images.catalogue)
def cold_start(namespace: Namespace, name: str) -> dict[str, float]:
    """`ready_seconds`: from the scheduler's decision to Ready, as a watch saw both; `compressed_mb`: what the pull moved (10^6 bytes).

    The image is removed from the node first.  The pod's status has whole seconds only, hence the watch.  The pod of a trial ends
    while others run; the next trial of the same image waits for that.  Raises ClusterError when the image cannot be removed.
    """
    cluster = namespace.cluster
    reference = cluster.image(name)
    manifest = app.pod(f"cold-{name.replace('.', '-')}", reference, treatments=["quick-exit", "no-startup"])
    wait.until(cluster.kube, "Pod", manifest["metadata"]["name"], namespace.name, done=wait.gone, what="gone")
    forget(namespace, reference)
    _require_absent(namespace, name)
    (ref,) = namespace.apply(manifest)
    try:
        seconds = _watch(namespace, ref.name)
    finally:
        cluster.kube.delete(ref)
    compressed = local_registry.compressed_size(cluster.registry, name, reference.rpartition(":")[2])
    return {"ready_seconds": seconds, "compressed_mb": compressed / 1e6}


def forget(namespace: Namespace, reference: str) -> None:
    """Remove an image from the node: its names, what is left of containers made from it, and its layers.

    containerd's CRI plugin knows an image by tag, by digest and by id.  A container that has ended keeps its layers until the kubelet
    gets to removing it.  Layers go when garbage is collected, which `remove --sync` waits for; the extra name makes it happen always.
    """
    node = namespace.cluster.on_node
    listed = [line.split() for line in node(*CTR, "images", "list").splitlines()]
    digests = {digest for name, _, digest, *_ in listed if name == reference}
    names = [name for name, _, digest, *_ in listed if digest in digests]
    for container, image, *_ in (line.split() for line in node(*CTR, "containers", "list").splitlines()):
        if image == reference:
            node(*CTR, "containers", "delete", container, check=False)  # the kubelet may have been quicker
    node(*CTR, "images", "tag", "--force", next(name for name, *_ in listed if "/pause:" in name), GARBAGE)
    node(*CTR, "images", "remove", "--sync", GARBAGE, *names)


def _require_absent(namespace: Namespace, name: str) -> None:
    """Raise ClusterError when the image's last layer is still unpacked on the node: what starts from it is no cold start."""
    cluster = namespace.cluster
    top = _chain_id((cluster.engine.inspect(images.image(name).reference) or {})["RootFS"]["Layers"])
    if top in cluster.on_node(*CTR, "snapshots", "list"):
        raise ClusterError(
            f"no cold start: the layers of {name} are still on {cluster.node}",
            observed=[line for line in cluster.on_node(*CTR, "containers", "list").splitlines() if f"/{name}:" in line],
            hint="another pod may use this image: remove it, and run the cell again",
        )


def _chain_id(layers: list[str]) -> str:
    """The name under which containerd keeps the uppermost of these layers unpacked (OCI image specification, ChainID)."""
    chain = layers[0]
    for layer in layers[1:]:
        chain = f"sha256:{hashlib.sha256(f'{chain} {layer}'.encode()).hexdigest()}"
    return chain


def _watch(namespace: Namespace, name: str) -> float:
    scheduled = None
    for _, seen in namespace.cluster.kube.watch("Pod", namespace.name, name=name, seconds=SECONDS):
        now = time.monotonic()
        if scheduled is None and wait.condition("PodScheduled")(seen):
            scheduled = now
        if scheduled is not None and wait.condition("Ready")(seen):
            return now - scheduled
    raise WaitTimeout(
        f"pod {name} is not ready after {SECONDS:.0f} s",
        observed=wait.explain(namespace.cluster.kube, namespace.name),
        hint="look at the lines above",
    )
