"""Where exercises take place: namespaces by name, made by the kit or by the learner with any tool."""

from __future__ import annotations

from collections.abc import Sequence

from kitlib.cluster.bound import WORKLOADS, Cluster, Namespace
from kitlib.host import console
from kitlib.host.identity import LABEL
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref

KINDS = (*WORKLOADS, "Pod", "Service", "ConfigMap", "Secret", "PodDisruptionBudget")
GENERATED = ("ReplicaSet", "Pod")  # their controllers name them NAME-…


def find(cluster: Cluster, name: str) -> Namespace | None:
    """The namespace kit-NAME if it exists, also one that `kubectl create namespace` made."""
    found = cluster.kube.get("Namespace", f"kit-{name}")
    return Namespace.of(cluster, found) if found else None


def ensure(cluster: Cluster, name: str) -> Namespace:
    """The namespace kit-NAME, made by the kit when it is missing."""
    return find(cluster, name) or Namespace.make(cluster, name)


def clear(cluster: Cluster, name: str, instances: Sequence[str]) -> None:
    """Undo the namespace kit-NAME if the kit made it; in the learner's own, delete only the exercise's objects and the kit's.

    instances: names that the task gives to objects.  The learner's namespace stays, with everything else in it; a line says so.
    """
    namespace = find(cluster, name)
    if namespace is None:
        return
    if _label(cluster.kube.get("Namespace", namespace.name) or {}) == cluster.identity.mark:
        namespace.undo()
        return
    _delete(namespace, instances)
    console.say(
        f"namespace {namespace.name} stays, as the kit did not make it; so does what the task does not name in it"
    )


def belongs(found: Object, instances: Sequence[str], mark: str) -> bool:
    """Whether an object is the exercise's: it has the kit's mark, a name that the task gives, or a controller gave it such a name."""
    name = found["metadata"]["name"]
    generated = found["kind"] in GENERATED and any(name.startswith(f"{instance}-") for instance in instances)
    return name in instances or generated or _label(found) == mark


def _delete(namespace: Namespace, instances: Sequence[str]) -> None:
    """Owners come before what they own; returns when all of it is gone."""
    kube, mark = namespace.cluster.kube, namespace.cluster.identity.mark
    for kind in KINDS:
        mine = [found for found in kube.list(kind, namespace.name) if belongs(found, instances, mark)]
        for found in mine:
            kube.delete(Ref.of(found))
        for found in mine:
            wait.until(kube, kind, found["metadata"]["name"], namespace.name, done=wait.gone, what="gone")


def _label(found: Object) -> str:
    return str(found.get("metadata", {}).get("labels", {}).get(LABEL, ""))
