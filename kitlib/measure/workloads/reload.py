"""Does a change of a ConfigMap reach a running container, and after how long?

Neither the API nor the program reports when a file in a container has changed.  So the pods are *sampled*, once a second, until
the change has arrived where it can, or the window is over; the moment itself is the time that the kubelet's own file carries.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kitlib.claims import progress
from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError
from kitlib.kube.client import Object
from kitlib.workloads import app

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

    namespace: Namespace
    value: str
    at: float

    @takes(dict.fromkeys(("injected", "reloaded"), "0/1"), way=WAYS)
    def arrivals(self, trials: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
        """For each {way: ...}, the n-th trial of a way on its n-th pod: `injected`, whether the container has had a value of the
        ConfigMap at all, `reloaded`, whether it has this one (0 or 1), and `arrival_seconds`, from the change to the file that has it.
        Waits for the volumes.
        """
        pods = {name: sorted(app.pods(self.namespace, name), key=_uid) for name in INSTANCES}
        next_pod = {way: iter(pods[instance]) for way, (instance, _) in WAYS.items()}
        found = [(WAYS[t["way"]][1], next(next_pod[t["way"]])) for t in trials]
        progress.stage("waiting until the kubelet has written the change into the volumes", seconds=WINDOW)
        for t, (key, pod) in zip(trials, found, strict=True):
            if t["way"].startswith("volume"):
                self._sample(pod, key)
        looked = []
        for t, (key, pod) in zip(trials, found, strict=True):
            with progress.trial(f"what the program has: {t['way']}"):
                looked.append(self._look(pod, key))
        return looked

    def _sample(self, pod: Object, key: str) -> None:
        while settings(self.namespace, pod)["motd"][key] != self.value and time.time() < self.at + WINDOW:
            time.sleep(PERIOD)

    def _look(self, pod: Object, key: str) -> dict[str, float]:
        value = settings(self.namespace, pod)["motd"][key]
        reloaded = value == self.value
        found = {"injected": float(value in (FIRST, self.value)), "reloaded": float(reloaded)}
        return found | ({"arrival_seconds": written(self.namespace, pod) - self.at} if reloaded else {})


def prepare(namespace: Namespace, image: str, pods: int) -> None:
    """Run the instances that get their configuration in different ways, each with this many pods."""
    for name in INSTANCES:
        namespace.apply(*_manifests(name, image, FIRST, pods))
    for name in INSTANCES:
        app.roll_out(namespace, name)


def change(namespace: Namespace, image: str, value: str) -> Change:
    """Give all ConfigMaps this value, and the pods of one instance an annotation, which makes the kubelet look at them."""
    changed = Change(namespace, value, time.time())
    for name in INSTANCES:
        namespace.apply(*(m for m in _manifests(name, image, value) if m["kind"] == "ConfigMap"))
    for pod in app.pods(namespace, "config-annotated"):
        nudge(namespace, pod)
    return changed


def nudge(namespace: Namespace, pod: Object) -> None:
    """Annotate a pod: its template and its containers stay as they are, and the kubelet looks at it at once."""
    meta = {"name": pod["metadata"]["name"], "annotations": {NUDGE: str(time.time())}}
    namespace.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta})


def settings(namespace: Namespace, pod: Object) -> dict[str, Any]:
    """goapp's answer about its configuration; of the secret only whether it is set, and a fingerprint."""
    answer = app.ask(namespace, pod, "/settings")
    if answer.status != 200:
        raise ClusterError(f"{pod['metadata']['name']} does not report its settings: {answer.body}")
    found: dict[str, Any] = answer.body
    return found


def written(namespace: Namespace, pod: Object) -> float:
    """When the kubelet wrote the pod's ConfigMap volume, in seconds since 1970, by the node's clock.

    A new version is a new folder; what changes hands is one symbolic link, and its time is the moment.
    """
    path = FILES.format(uid=pod["metadata"]["uid"])
    return float(namespace.cluster.on_node("stat", "--format", "%.3Y", path, node=pod["spec"]["nodeName"]))


def _manifests(name: str, image: str, value: str, pods: int | None = None) -> list[Object]:
    objects = app.manifests(name, image, replicas=pods, treatments=[INSTANCES[name], "small", "quick-exit"])
    return [{**m, "data": {"motd": value}} if m["kind"] == "ConfigMap" else m for m in objects]


def _uid(pod: Object) -> str:
    return str(pod["metadata"]["uid"])
