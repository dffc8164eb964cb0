"""How long is a Deployment short of replicas, when a pod, a container or a node is taken from it?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError, WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref
from kitlib.measure.workloads.pods import is_ready, restarts
from kitlib.workloads import app

PATIENCE = 60.0  # seconds for the replicas to come back
DRAIN = "drain a node"
EVENTS = ("delete a pod", "crash a container", "cordon, delete a pod", DRAIN)


@dataclass(frozen=True)
class Moment:
    """The state that a watch saw `at` seconds after the event: how many pods were ready, and whether one could not be scheduled."""

    at: float
    ready: int
    stuck: bool = False


def events(cluster: Cluster) -> list[str]:
    """The events that are possible here; draining a node needs another node to drain to."""
    several = len(cluster.kube.list("Node")) > 1
    return [event for event in EVENTS if several or event != DRAIN]


@takes(
    dict.fromkeys(("always", "returned"), "0/1")
    | dict.fromkeys(("below_seconds", "back_seconds", "help_seconds"), "s"),
    event=EVENTS,
)
def disturb(namespace: Namespace, name: str, event: str) -> dict[str, float]:
    """`always`: whether there were never fewer ready replicas, `returned`: whether all were ready again without help (0 or 1).

    If so, `below_seconds`: how long there were fewer, and `back_seconds`: from the event to all of them; if not, `help_seconds`: from
    the end of the cordon to all of them.

    name: of a Deployment, all of whose replicas are ready.  A node is never left cordoned.
    """
    pods = app.pods(namespace, name)
    if event == "delete a pod":
        return judge(_observe(namespace, name, [_worn(pods)], _delete), len(pods))
    if event == "crash a container":
        return judge(_observe(namespace, name, [_fresh(pods)], partial(app.inject, kind="crash")), len(pods))
    drain = event == DRAIN
    victims = [p for p in pods if _node(p) == _fullest(pods)] if drain else [_worn(pods)]
    with cordoned(namespace.cluster, _node(victims[0])):
        found = judge(_observe(namespace, name, victims, _evict if drain else _delete), len(pods))
    return found if found["returned"] else found | {"help_seconds": _settle(namespace, name)}


@contextmanager
def cordoned(cluster: Cluster, node: str = "") -> Iterator[None]:
    """No new pod is scheduled to the node, by default the cluster's first, while the block runs."""
    it = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node or cluster.node}}
    try:
        cluster.kube.apply([it | {"spec": {"unschedulable": True}}])
        yield
    finally:
        cluster.kube.apply([it])  # server-side apply removes a field that its applier no longer names and no other owns


def judge(course: Iterable[Moment], wanted: int) -> dict[str, float]:
    """`always`, `returned`, `below_seconds` and `back_seconds` of moments in the order of time, the first of them at the event."""
    moments = list(course)
    last = moments[-1]
    if last.ready < wanted:
        return {"always": 0.0, "returned": 0.0}
    below = sum(later.at - now.at for now, later in pairwise(moments) if now.ready < wanted)
    never = all(moment.ready >= wanted for moment in moments)
    return {"always": float(never), "returned": 1.0, "below_seconds": below, "back_seconds": last.at}


def _observe(
    namespace: Namespace, name: str, victims: list[Object], act: Callable[[Namespace, Object], object]
) -> list[Moment]:
    """Act on each victim beside a watch of the pods, until each has been seen not ready and all are ready again, or one is stuck."""
    wanted = len(app.pods(namespace, name))
    not_seen_down = {victim["metadata"]["name"] for victim in victims}
    begun, course = 0.0, list[Moment]()
    with ThreadPoolExecutor(1) as beside:
        for alive in _states(namespace, name):
            ready = {pod_name for pod_name, pod in alive.items() if is_ready(pod)}
            if course:
                not_seen_down &= ready
                course.append(Moment(time.monotonic() - begun, len(ready), any(map(_stuck, alive.values()))))
            elif len(ready) == wanted:
                begun, course = time.monotonic(), [Moment(0.0, wanted)]
                acting = beside.submit(lambda: [act(namespace, victim) for victim in victims])
            if course and (course[-1].stuck or (not not_seen_down and len(ready) >= wanted)):
                break
    if not course:
        raise ClusterError(f"{name} was not complete", observed=wait.explain(namespace.cluster.kube, namespace.name))
    acting.result()
    return course


def _states(namespace: Namespace, name: str) -> Iterator[dict[str, Object]]:
    """An instance's pods by name, after each change, for as long as there is patience."""
    alive: dict[str, Object] = {}
    labels = f"app.kubernetes.io/instance={name}"
    for change, pod in namespace.cluster.kube.watch("Pod", namespace.name, labels=labels, seconds=PATIENCE):
        alive[pod["metadata"]["name"]] = pod
        if change == "DELETED":
            del alive[pod["metadata"]["name"]]
        yield alive


def _stuck(pod: Object) -> bool:
    """The scheduler has found no node for it."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable" for c in conditions)


def _delete(namespace: Namespace, pod: Object) -> None:
    namespace.cluster.kube.delete(Ref.of(pod))


def _evict(namespace: Namespace, pod: Object) -> None:
    """As a drain does: ask for the pod to go, once its PodDisruptionBudget allows it.  A budget that never does keeps the pod."""
    meta = pod["metadata"]
    budget = meta["labels"]["app.kubernetes.io/instance"]
    with suppress(WaitTimeout):
        wait.until(
            namespace.cluster.kube,
            "PodDisruptionBudget",
            budget,
            namespace.name,
            done=lambda found: bool(found and found["status"].get("disruptionsAllowed")),
            what="allowing a disruption",
            seconds=PATIENCE,
        )
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": meta["name"]}}
        namespace.cluster.kube.create("Pod", namespace.name, eviction, of=meta["name"], subresource="eviction")


def _settle(namespace: Namespace, name: str) -> float:
    begun = time.monotonic()
    app.roll_out(namespace, name)
    return time.monotonic() - begun


def _worn(pods: list[Object]) -> Object:
    """The pod that has restarted most: its next crash would not show the restart alone, but the back-off before it."""
    return max(pods, key=restarts)


def _fresh(pods: list[Object]) -> Object:
    return min(pods, key=restarts)


def _node(pod: Object) -> str:
    return str(pod["spec"]["nodeName"])


def _fullest(pods: list[Object]) -> str:
    return Counter(map(_node, pods)).most_common(1)[0][0]
