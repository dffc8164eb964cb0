"""A Deployment's newest template and those before it: history, restart, another image, pause, resume, undo.

Each does what `kubectl rollout` does under the same name, by the same fields of the API.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import UsageError
from kitlib.kube import wait
from kitlib.kube.client import STRATEGIC, Object

REVISION = "deployment.kubernetes.io/revision"
EARLIER = (
    "deployment.kubernetes.io/revision-history"  # of a template that came back: the numbers that it had, with commas
)
RESTARTED = "kubectl.kubernetes.io/restartedAt"
HASH = "pod-template-hash"
OPERATIONS = "application/json-patch+json"


def history(namespace: Namespace, name: str) -> pd.DataFrame:
    """One row per revision, oldest first: revision, replica_set, image, pods, ready.

    A revision is a ReplicaSet that the Deployment still keeps (spec.revisionHistoryLimit); one that is rolled out again gets a new number.
    """
    rows = [
        {
            "revision": revision(found),
            "replica_set": found["metadata"]["name"],
            "image": _container(found)["image"].rpartition("/")[2],
            "pods": found["status"].get("replicas", 0),
            "ready": found["status"].get("readyReplicas", 0),
        }
        for found in replica_sets(namespace, name)
    ]
    return pd.DataFrame(rows, columns=["revision", "replica_set", "image", "pods", "ready"])


def replica_sets(namespace: Namespace, name: str) -> list[Object]:
    """The ReplicaSets that belong to the Deployment, by its uid, in the order of their revisions.

    A template that was changed just now is among them: this waits until the Deployment controller has seen it.  Raises WaitTimeout.
    """
    owner = deployment(namespace, name)["metadata"]["uid"]
    wait.until(
        namespace.cluster.kube, "Deployment", name, namespace.name, done=_observed, what="seen by its controller"
    )
    found = namespace.cluster.kube.list("ReplicaSet", namespace.name)
    mine = [s for s in found if any(o["uid"] == owner for o in s["metadata"].get("ownerReferences", []))]
    return sorted(mine, key=revision)


def revision(replica_set: Object) -> int:
    """The revision that the Deployment controller wrote on a ReplicaSet; 0 before it has."""
    return int(replica_set["metadata"].get("annotations", {}).get(REVISION, 0))


def revisions(replica_set: Object) -> list[int]:
    """All revisions that a ReplicaSet has been, oldest first."""
    earlier = str(replica_set["metadata"].get("annotations", {}).get(EARLIER, ""))
    return [*(int(number) for number in earlier.split(",") if number), revision(replica_set)]


def image(owner: Object) -> str:
    """The image of the first container in the template of a Deployment or a ReplicaSet."""
    return str(_container(owner)["image"])


def deployment(namespace: Namespace, name: str) -> Object:
    """Raises UsageError when there is no such Deployment."""
    found = namespace.cluster.kube.get("Deployment", name, namespace.name)
    if found is None:
        raise UsageError(f"no Deployment is called {name} in {namespace.name}")
    return found


def set_image(namespace: Namespace, name: str, image: str) -> None:
    """Another image for the only container: a new template, and so a new revision."""
    container = _container(deployment(namespace, name))["name"]
    _patch(namespace, name, _template({"spec": {"containers": [{"name": container, "image": image}]}}))


def restart(namespace: Namespace, name: str) -> None:
    """Roll out the same template with the time as an annotation: every pod is replaced, and nothing else changes."""
    _patch(namespace, name, _template({"metadata": {"annotations": {RESTARTED: datetime.now(UTC).isoformat()}}}))


def pause(namespace: Namespace, name: str) -> None:
    """Changes of the template are kept and not acted upon; what has begun stays as it is."""
    _patch(namespace, name, {"spec": {"paused": True}})


def resume(namespace: Namespace, name: str) -> None:
    """All changes since the pause are rolled out, as one."""
    _patch(namespace, name, {"spec": {"paused": False}})


def undo(namespace: Namespace, name: str, to: int | None = None) -> int:
    """Go back to the template of a revision, by default the one before the newest; returns its number.

    Raises UsageError when the Deployment does not keep that revision.
    """
    kept = {revision(found): found for found in replica_sets(namespace, name)}
    wanted = to if to is not None else max((r for r in kept if r < max(kept)), default=0)
    if wanted not in kept:
        raise UsageError(f"{name} keeps no revision {wanted or 'before its newest'}", hint=f"one of {sorted(kept)}")
    template = kept[wanted]["spec"]["template"]
    labels = {k: v for k, v in template["metadata"]["labels"].items() if k != HASH}
    template = {**template, "metadata": {**template["metadata"], "labels": labels}}
    _patch(namespace, name, [{"op": "replace", "path": "/spec/template", "value": template}], OPERATIONS)
    return wanted


def _observed(found: Object | None) -> bool:
    return found is None or found.get("status", {}).get("observedGeneration", 0) >= found["metadata"]["generation"]


def _template(change: Object) -> Object:
    return {"spec": {"template": change}}


def _container(owner: Object) -> Object:
    found: Object = owner["spec"]["template"]["spec"]["containers"][0]
    return found


def _patch(namespace: Namespace, name: str, change: Any, content: str = STRATEGIC) -> None:
    namespace.cluster.kube.patch("Deployment", name, namespace.name, change, content=content)
