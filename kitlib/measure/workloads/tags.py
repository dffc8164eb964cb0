"""Which code do the pods of one Deployment run, after the tag that they were made from has been moved?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kitlib.claims import progress
from kitlib.claims.levels import takes
from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.kube.client import Object, Ref
from kitlib.measure.workloads import pods
from kitlib.supply import images
from kitlib.workloads import app
from kitlib.workloads.versions import NEW, OLD, REPOSITORY, release

__all__ = ["NAMED", "NEW", "OLD", "move", "pinned", "release", "replace_one", "retag", "versions"]

REPLICAS = 2
# how a Deployment names its image: the reference's kind, and the pull policy (None: what Kubernetes chooses for it)
NAMED: Mapping[str, tuple[str, str | None]] = {
    "latest": ("moving", None),
    "latest, IfNotPresent": ("moving", "IfNotPresent"),
    "exact tag": ("exact", None),
    "digest": ("digest", None),
}


def move(cluster: Cluster, repository: str, version: str) -> str:
    """Make repository:latest mean this release; returns the reference for a manifest."""
    cluster.engine.push(release(cluster, version), f"{cluster.registry}/{repository}:latest")
    return f"{images.PREFIX}/{repository}:latest"


def pinned(cluster: Cluster, version: str) -> str:
    """A release by its digest: the one name that cannot be moved.  Raises EngineError when the registry lacks it."""
    name, _, tag = release(cluster, version).rpartition(":")
    return f"{name}@{local_registry.digest(cluster.registry, REPOSITORY, tag)}"


@takes({"newest": "count"}, named=NAMED)
def retag(namespace: Namespace, trials: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """For each {named: ...}: deploy the old release, publish the new one, lose a pod; then count `versions` among the pods.

    `newest`: how many of the pods run the new release.
    """
    names = {_slug(trial["named"], i): trial["named"] for i, trial in enumerate(trials)}
    progress.stage(f"publishing the old release, and starting {len(names)} Deployments of it")
    for name, named in names.items():
        namespace.apply(*_manifests(namespace.cluster, name, named))
    for name, named in names.items():
        with progress.trial(f"{named}: the tag moves, a pod is replaced"):
            app.roll_out(namespace, name)
            move(namespace.cluster, name, NEW)
            replace_one(namespace, name)
    return [_count(versions(namespace, name)) for name in names]


def versions(namespace: Namespace, name: str) -> list[str]:
    """The version of each pod of an instance, from the header of any answer."""
    return [app.ask(namespace, pod, "/items").headers["x-version"] for pod in app.pods(namespace, name)]


def replace_one(namespace: Namespace, name: str) -> None:
    """Delete a pod, as the end of a node would; returns when another has taken its place, and is ready."""
    before = app.pods(namespace, name)
    namespace.cluster.kube.delete(Ref.of(before[0]))
    gone = before[0]["metadata"]["uid"]
    pods.until(namespace, name, done=lambda found: _replaced(found, gone, len(before)), what="complete again")


def _slug(named: str, number: int) -> str:
    """Of the instance, and of the repository that its moving tag is in."""
    return f"tag-{number}-" + named.lower().replace(", ", "-").replace(" ", "-")


def _manifests(cluster: Cluster, name: str, named: str) -> list[Object]:
    """The old release; the moving tag, which an earlier run has moved on, is brought back to it."""
    how, policy = NAMED[named]
    moving = move(cluster, name, OLD)
    image = {"moving": moving, "exact": release(cluster, OLD), "digest": pinned(cluster, OLD)}[how]
    objects = app.manifests(name, image, replicas=REPLICAS, treatments=["small", "quick-exit"])
    for found in objects:
        if found["kind"] == "Deployment" and policy:
            found["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = policy
    return objects


def _count(found: Sequence[str]) -> dict[str, float]:
    return {"versions": float(len(set(found))), "newest": float(found.count(NEW))}


def _replaced(found: Sequence[Object], gone: str, wanted: int) -> bool:
    ready = {pod["metadata"]["uid"] for pod in found if pods.is_ready(pod)}
    return gone not in ready and len(ready) == wanted
