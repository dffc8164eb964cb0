"""A Deployment's newest template and those before it: history, restart, another image, pause, resume, undo.

Each does what `kubectl rollout` does under the same name, by the same fields of the API.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from kitlib import wait
from kitlib.cluster import Space
from kitlib.errors import UsageError
from kitlib.kube import STRATEGIC, Object

REVISION = "deployment.kubernetes.io/revision"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
HASH = "pod-template-hash"
OPERATIONS = "application/json-patch+json"


def history(space: Space, name: str) -> pd.DataFrame:
    """One row a revision, oldest first: revision, replica_set, image, pods, ready.

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
        for found in replica_sets(space, name)
    ]
    return pd.DataFrame(rows, columns=["revision", "replica_set", "image", "pods", "ready"])


def replica_sets(space: Space, name: str) -> list[Object]:
    """The ReplicaSets that belong to the Deployment, by its uid, in the order of their revisions.

    A template that was changed just now is among them: this waits until the Deployment controller has seen it.  Raises WaitTimeout.
    """
    owner = deployment(space, name)["metadata"]["uid"]
    wait.until(space.cluster.kube, "Deployment", name, space.name, done=_observed, what="seen by its controller")
    found = space.cluster.kube.list("ReplicaSet", space.name)
    mine = [s for s in found if any(o["uid"] == owner for o in s["metadata"].get("ownerReferences", []))]
    return sorted(mine, key=revision)


def revision(replica_set: Object) -> int:
    """The revision that the Deployment controller wrote on a ReplicaSet; 0 before it has."""
    return int(replica_set["metadata"].get("annotations", {}).get(REVISION, 0))


def deployment(space: Space, name: str) -> Object:
    """Raises UsageError when there is no such Deployment."""
    found = space.cluster.kube.get("Deployment", name, space.name)
    if found is None:
        raise UsageError(f"no Deployment is called {name} in {space.name}")
    return found


def set_image(space: Space, name: str, image: str) -> None:
    """Another image for the only container: a new template, and so a new revision."""
    container = _container(deployment(space, name))["name"]
    _patch(space, name, _template({"spec": {"containers": [{"name": container, "image": image}]}}))


def restart(space: Space, name: str) -> None:
    """The same template with the time on it: every pod is replaced, and nothing else changes."""
    _patch(space, name, _template({"metadata": {"annotations": {RESTARTED: datetime.now(UTC).isoformat()}}}))


def pause(space: Space, name: str) -> None:
    """Changes of the template are kept and not acted upon; what has begun stays as it is."""
    _patch(space, name, {"spec": {"paused": True}})


def resume(space: Space, name: str) -> None:
    """All changes since the pause are rolled out, as one."""
    _patch(space, name, {"spec": {"paused": False}})


def undo(space: Space, name: str, to: int | None = None) -> int:
    """Go back to the template of a revision, by default the one before the newest; returns its number.

    Raises UsageError when the Deployment does not keep that revision.
    """
    kept = {revision(found): found for found in replica_sets(space, name)}
    wanted = to if to is not None else max((r for r in kept if r < max(kept)), default=0)
    if wanted not in kept:
        raise UsageError(f"{name} keeps no revision {wanted or 'before its newest'}", hint=f"one of {sorted(kept)}")
    template = kept[wanted]["spec"]["template"]
    labels = {k: v for k, v in template["metadata"]["labels"].items() if k != HASH}
    template = {**template, "metadata": {**template["metadata"], "labels": labels}}
    _patch(space, name, [{"op": "replace", "path": "/spec/template", "value": template}], OPERATIONS)
    return wanted


def _observed(found: Object | None) -> bool:
    return found is None or found.get("status", {}).get("observedGeneration", 0) >= found["metadata"]["generation"]


def _template(change: Object) -> Object:
    return {"spec": {"template": change}}


def _container(owner: Object) -> Object:
    found: Object = owner["spec"]["template"]["spec"]["containers"][0]
    return found


def _patch(space: Space, name: str, change: Any, content: str = STRATEGIC) -> None:
    space.cluster.kube.patch("Deployment", name, space.name, change, content=content)
