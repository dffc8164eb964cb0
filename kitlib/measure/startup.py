"""How long does a pod take from scheduled to ready, when its image is not on the node yet?"""

from __future__ import annotations

import time

from kitlib import app, registry, wait
from kitlib.cluster import Space
from kitlib.errors import ClusterError, WaitTimeout
from kitlib.kube import Ref

SECONDS = 120.0
EVENT_SECONDS = 15.0
CTR = ("ctr", "-n", "k8s.io")


def cold_start(space: Space, name: str) -> dict[str, float]:
    """`ready_seconds`: from the scheduler's decision to Ready, as a watch saw both; `compressed_mb`: what the pull moved (10^6 bytes).

    The image is removed from the node first.  The pod's status has whole seconds only, hence the watch.  The pod of a trial ends
    while others run; the next trial of the same image waits for that.  Raises ClusterError when the node pulled nothing after all.
    """
    cluster = space.cluster
    reference = cluster.image(name)
    manifest = app.pod(f"cold-{name.replace('.', '-')}", reference)
    manifest["spec"]["containers"][0]["args"] = ["-drain-delay=0s"]  # nobody sends it requests
    wait.until(cluster.kube, "Pod", manifest["metadata"]["name"], space.name, done=wait.gone, what="gone")
    forget(space, reference)
    (ref,) = space.apply(manifest)
    try:
        seconds = _watch(space, ref.name)
        _check_pulled(space, ref)
    finally:
        cluster.kube.delete(ref)
    compressed = registry.compressed_size(cluster.registry, name, reference.rpartition(":")[2])
    return {"ready_seconds": seconds, "compressed_mb": compressed / 1e6}


def forget(space: Space, reference: str) -> None:
    """Remove an image and its layers from the node.

    containerd's CRI plugin knows an image by tag, by digest and by id: it is gone when all three names are.
    """
    cluster = space.cluster
    listed = [line.split() for line in cluster.on_node(*CTR, "images", "list").splitlines()[1:]]
    target = {digest for name, _, digest, *_ in listed if name == reference}
    if names := [name for name, _, digest, *_ in listed if digest in target]:
        cluster.on_node(*CTR, "images", "remove", "--sync", *names)


def _watch(space: Space, name: str) -> float:
    scheduled = None
    for _, seen in space.cluster.kube.watch("Pod", space.name, name=name, seconds=SECONDS):
        now = time.monotonic()
        if scheduled is None and wait.condition("PodScheduled")(seen):
            scheduled = now
        if scheduled is not None and wait.condition("Ready")(seen):
            return now - scheduled
    raise WaitTimeout(
        f"pod {name} is not ready after {SECONDS:.0f} s",
        observed=wait.explain(space.cluster.kube, space.name),
        hint="look at the lines above",
    )


def _check_pulled(space: Space, pod: Ref) -> None:
    """Raise ClusterError unless the kubelet says in an event that it pulled the image for this pod; it may say so late.

    An event with the reason Pulled comes either way; where nothing was pulled, it says "already present on machine".
    """
    kube, about = space.cluster.kube, f"involvedObject.uid={pod.uid}"
    pulled = kube.watch("Event", space.name, fields=f"{about},reason=Pulled", seconds=EVENT_SECONDS)
    said = next((event["message"] for _, event in pulled), "")
    if not said.startswith("Successfully pulled image"):
        raise ClusterError(
            f"no cold start: no event of {pod} says that its image was pulled",
            observed=[f"event {e['reason']}: {e['message']}" for e in kube.list("Event", space.name, fields=about)],
            hint="another pod may use this image: remove it, and run the cell again",
        )
