"""Does a change of a ConfigMap reach a running container, and after how long?

Nothing tells when a file in a container has changed: neither the API nor the program.  So the pods are *sampled*, once a second, until
the change has arrived where it can, or the window is over; the moment itself is the time that the kubelet's own file carries.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kitlib import app
from kitlib.cluster import Space
from kitlib.errors import ClusterError
from kitlib.kube import Object

FIRST = "first"
WINDOW = 120.0  # seconds: a kubelet looks at each pod every 60 to 90 s
PERIOD = 1.0  # seconds between two looks at a pod; decides when the sampling ends, not the figures
NUDGE = "kit.local/look-again"
FILES = "/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~configmap/config/..data"

# way: the instance that shows it, and where in GET /settings
WAYS: Mapping[str, tuple[str, str]] = {
    "environment": ("config", "env"),
    "volume": ("config", "file"),
    "volume, annotated": ("config-annotated", "file"),
    "subPath": ("config-subpath", "file"),
}
# And their treatments.
INSTANCES = {"config": "config", "config-annotated": "config", "config-subpath": "config-subpath"}


@dataclass(frozen=True)
class Change:
    """One change of the ConfigMaps.  at: when it was sent, in seconds since 1970."""

    space: Space
    value: str
    at: float

    def arrivals(self, trials: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
        """For each {way: ..., pod: 1 ...}: `injected`, whether the container has had a value of the ConfigMap at all, `reloaded`,
        whether it has this one (0 or 1), and `arrival_seconds`, from the change to the file that has it.  Waits for the volumes.
        """
        pods = {name: sorted(app.pods(self.space, name), key=_uid) for name in INSTANCES}
        found = [(WAYS[t["way"]][1], pods[WAYS[t["way"]][0]][t["pod"] - 1]) for t in trials]
        for t, (key, pod) in zip(trials, found, strict=True):
            if t["way"].startswith("volume"):
                self._sample(pod, key)
        return [self._look(pod, key) for key, pod in found]

    def _sample(self, pod: Object, key: str) -> None:
        while settings(self.space, pod)["motd"][key] != self.value and time.time() < self.at + WINDOW:
            time.sleep(PERIOD)

    def _look(self, pod: Object, key: str) -> dict[str, float]:
        value = settings(self.space, pod)["motd"][key]
        reloaded = value == self.value
        found = {"injected": float(value in (FIRST, self.value)), "reloaded": float(reloaded)}
        return found | ({"arrival_seconds": written(self.space, pod) - self.at} if reloaded else {})


def prepare(space: Space, image: str, pods: int) -> None:
    """Run the instances that get their configuration in different ways, each with this many pods."""
    for name in INSTANCES:
        space.apply(*_manifests(name, image, FIRST, pods))
    for name in INSTANCES:
        app.roll_out(space, name)


def change(space: Space, image: str, value: str) -> Change:
    """Give all ConfigMaps this value, and the pods of one instance an annotation, which makes the kubelet look at them."""
    changed = Change(space, value, time.time())
    for name in INSTANCES:
        space.apply(*(m for m in _manifests(name, image, value) if m["kind"] == "ConfigMap"))
    for pod in app.pods(space, "config-annotated"):
        nudge(space, pod)
    return changed


def nudge(space: Space, pod: Object) -> None:
    """Annotate a pod: its template and its containers stay as they are, and the kubelet looks at it at once."""
    meta = {"name": pod["metadata"]["name"], "annotations": {NUDGE: str(time.time())}}
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta})


def settings(space: Space, pod: Object) -> dict[str, Any]:
    """What goapp says of its configuration; of the secret only whether it is set, and a fingerprint."""
    answer = app.ask(space, pod, "/settings")
    if answer.status != 200:
        raise ClusterError(f"{pod['metadata']['name']} does not tell its settings: {answer.body}")
    found: dict[str, Any] = answer.body
    return found


def written(space: Space, pod: Object) -> float:
    """When the kubelet wrote the pod's ConfigMap volume, in seconds since 1970, by the node's clock.

    A new version is a new folder; what changes hands is one symbolic link, and its time is the moment.
    """
    path = FILES.format(uid=pod["metadata"]["uid"])
    return float(space.cluster.on_node("stat", "--format", "%.3Y", path, node=pod["spec"]["nodeName"]))


def _manifests(name: str, image: str, value: str, pods: int | None = None) -> list[Object]:
    objects = app.manifests(name, image, replicas=pods, treatments=[INSTANCES[name], "small", "quick-exit"])
    return [{**m, "data": {"motd": value}} if m["kind"] == "ConfigMap" else m for m in objects]


def _uid(pod: Object) -> str:
    return str(pod["metadata"]["uid"])
