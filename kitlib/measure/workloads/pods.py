"""Pods: their status, and waiting for all pods of an instance, where no single object has that state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object


def until(
    namespace: Namespace, name: str, *, done: Callable[[Sequence[Object]], bool], what: str, seconds: float = 60
) -> list[Object]:
    """Return the pods of an instance, those that are ending among them, as soon as `done(pods)` holds.  Raises WaitTimeout.

    Each change is a reason to look; what is looked at is a list, which is of one moment, as what a watch begins with is not.
    """
    kube, labels = namespace.cluster.kube, f"app.kubernetes.io/instance={name}"
    if done(found := kube.list("Pod", namespace.name, labels=labels)):
        return found
    for _ in kube.watch("Pod", namespace.name, labels=labels, seconds=seconds):
        if done(found := kube.list("Pod", namespace.name, labels=labels)):
            return found
    raise WaitTimeout(
        f"the pods of {name} are not {what} after {seconds:.0f} s",
        observed=wait.explain(kube, namespace.name),
        hint="look at the lines above",
    )


def is_ready(pod: Object) -> bool:
    """Counted by a Service: ready, and not ending."""
    return "deletionTimestamp" not in pod["metadata"] and wait.condition("Ready")(pod)


def restarts(pod: Object) -> int:
    """Of all its containers."""
    return sum(c["restartCount"] for c in pod.get("status", {}).get("containerStatuses") or [])
