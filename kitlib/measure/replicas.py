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

from kitlib import app, wait
from kitlib.cluster import Cluster, Space
from kitlib.errors import ClusterError, WaitTimeout
from kitlib.kube import Object, Ref
from kitlib.measure.pods import is_ready, restarts

PATIENCE = 60.0  # seconds for the replicas to come back


@dataclass(frozen=True)
class Moment:
    """What a watch saw `at` seconds after the event: how many pods were ready, and whether one could not be scheduled."""

    at: float
    ready: int
    stuck: bool = False


def events(cluster: Cluster) -> list[str]:
    """What can be taken from a Deployment here; draining a node needs another node to drain to."""
    several = len(cluster.kube.list("Node")) > 1
    return ["delete a pod", "crash a container", "cordon, delete a pod", *(["drain a node"] if several else [])]


def disturb(space: Space, name: str, event: str) -> dict[str, float]:
    """`returned`: whether all replicas were ready again without help (0 or 1).  If so, `below_seconds`: how long there were fewer,
    and `back_seconds`: from the event to all of them; if not, `help_seconds`: from the end of the cordon to all of them.

    name: of a Deployment, all of whose replicas are ready.  A node is never left cordoned.
    """
    pods = app.pods(space, name)
    if event == "delete a pod":
        return judge(_observe(space, name, [_worn(pods)], _delete), len(pods))
    if event == "crash a container":
        return judge(_observe(space, name, [_fresh(pods)], partial(app.inject, kind="crash")), len(pods))
    drain = event == "drain a node"
    victims = [p for p in pods if _node(p) == _fullest(pods)] if drain else [_worn(pods)]
    with cordoned(space.cluster, _node(victims[0])):
        found = judge(_observe(space, name, victims, _evict if drain else _delete), len(pods))
    return found if found["returned"] else found | {"help_seconds": _settle(space, name)}


@contextmanager
def cordoned(cluster: Cluster, node: str = "") -> Iterator[None]:
    """No new pod is scheduled to the node, by default the cluster's first, while the block runs."""
    it = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node or cluster.node}}
    try:
        cluster.kube.apply([it | {"spec": {"unschedulable": True}}])
        yield
    finally:
        cluster.kube.apply([it])  # what its applier does not name any more, and nobody else owns, goes


def judge(course: Iterable[Moment], wanted: int) -> dict[str, float]:
    """`returned`, `below_seconds` and `back_seconds` of moments in the order of time, the first of them at the event."""
    moments = list(course)
    last = moments[-1]
    if last.ready < wanted:
        return {"returned": 0.0}
    below = sum(later.at - now.at for now, later in pairwise(moments) if now.ready < wanted)
    return {"returned": 1.0, "below_seconds": below, "back_seconds": last.at}


def _observe(space: Space, name: str, victims: list[Object], act: Callable[[Space, Object], object]) -> list[Moment]:
    """Act on each victim beside a watch of the pods, until each has been seen down and all are ready again, or one is stuck."""
    wanted = len(app.pods(space, name))
    not_seen_down = {victim["metadata"]["name"] for victim in victims}
    begun, course = 0.0, list[Moment]()
    with ThreadPoolExecutor(1) as beside:
        for alive in _states(space, name):
            ready = {pod_name for pod_name, pod in alive.items() if is_ready(pod)}
            if course:
                not_seen_down &= ready
                course.append(Moment(time.monotonic() - begun, len(ready), any(map(_stuck, alive.values()))))
            elif len(ready) == wanted:
                begun, course = time.monotonic(), [Moment(0.0, wanted)]
                acting = beside.submit(lambda: [act(space, victim) for victim in victims])
            if course and (course[-1].stuck or (not not_seen_down and len(ready) >= wanted)):
                break
    if not course:
        raise ClusterError(f"{name} was not complete", observed=wait.explain(space.cluster.kube, space.name))
    acting.result()
    return course


def _states(space: Space, name: str) -> Iterator[dict[str, Object]]:
    """An instance's pods by name, after each change, for as long as there is patience."""
    alive: dict[str, Object] = {}
    labels = f"app.kubernetes.io/instance={name}"
    for change, pod in space.cluster.kube.watch("Pod", space.name, labels=labels, seconds=PATIENCE):
        alive[pod["metadata"]["name"]] = pod
        if change == "DELETED":
            del alive[pod["metadata"]["name"]]
        yield alive


def _stuck(pod: Object) -> bool:
    """The scheduler has found no node for it."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable" for c in conditions)


def _delete(space: Space, pod: Object) -> None:
    space.cluster.kube.delete(Ref.of(pod))


def _evict(space: Space, pod: Object) -> None:
    """As a drain does: ask for the pod to go, once its PodDisruptionBudget allows it.  A budget that never does keeps the pod."""
    meta = pod["metadata"]
    budget = meta["labels"]["app.kubernetes.io/instance"]
    with suppress(WaitTimeout):
        wait.until(
            space.cluster.kube,
            "PodDisruptionBudget",
            budget,
            space.name,
            done=lambda found: bool(found and found["status"].get("disruptionsAllowed")),
            what="allowing a disruption",
            seconds=PATIENCE,
        )
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": meta["name"]}}
        space.cluster.kube.create("Pod", space.name, eviction, of=meta["name"], subresource="eviction")


def _settle(space: Space, name: str) -> float:
    begun = time.monotonic()
    app.roll_out(space, name)
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
