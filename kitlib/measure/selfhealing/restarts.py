"""How often, and after what delay, does the kubelet start a container again?  Slow starts, and programs that crash at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.measure.selfhealing import probes
from kitlib.measure.selfhealing.probes import Probe
from kitlib.measure.workloads.pods import restarts

USER = 65532
STRICT = Probe(period=5, failures=3)  # gives up long before a slow start is over
PATIENT = Probe(period=1, failures=60)  # as a startup probe
STARTUP = {"with": {"startupProbe": PATIENT.spec("/startup")}, "without": {}}
SLOW = 60.0  # seconds by which a start of 40 s is over
# Kubernetes' documentation, Pod Lifecycle.
DELAYS: Mapping[str, float] = {"1st": 0, "2nd": 10, "3rd": 20, "4th": 40, "5th": 80}
CRASH = "cut -d' ' -f1 /proc/uptime >> /diary/starts; cat /diary/starts; exit 1"


def start_slowly(namespace: Namespace, image: str, each: int) -> None:
    """Pods whose program takes 40 s to start, with and without a startup probe; all have the same strict liveness probe."""
    for level, extra in STARTUP.items():
        for i in range(each):
            name = f"slow-{level}-{i}"
            namespace.apply(
                probes.pod(
                    name, image, f"slow-{level}", treatments=("slow-start",), livenessProbe=STRICT.spec(), **extra
                )
            )


@takes({"ready": "0/1"}, startup_probe=STARTUP)
def slow_starts(namespace: Namespace, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """One value per trial, which is {"startup_probe": "with" | "without"}: `restarts`, and whether it is `ready` (0 or 1).

    Looks once the pods with a startup probe are ready, or cannot be any more.  `start_slowly` makes the pods.
    """
    with suppress(WaitTimeout):  # then the state at this moment is the result
        _settled(namespace, "slow-with", lambda pod: wait.condition("Ready")(pod) or restarts(pod) > 0, SLOW)
    found = {level: iter(_pods(namespace, f"slow-{level}")) for level in STARTUP}
    pods = [next(found[trial["startup_probe"]]) for trial in trials]
    return [{"restarts": restarts(pod), "ready": float(wait.condition("Ready")(pod))} for pod in pods]


def start_crashing(namespace: Namespace, image: str, number: int) -> None:
    """Pods whose program ends at once.  image: one with a shell.

    A container's files die with it, an emptyDir lives as long as the pod: there each run writes down when it began, and then shows all.
    """
    namespace.apply(*(_crasher(f"crash-{i}", image) for i in range(number)))


@takes({"predicted_seconds": "s", "at_once_seconds": "s"}, restart=DELAYS)
def backoff(namespace: Namespace, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """One value per trial, which is {"restart": a level of DELAYS}: `delay_seconds` from one end to the next start, and the
    `predicted_seconds`.  The first restart has nothing to wait for, so it has `at_once_seconds` instead.

    Waits until the pods have been restarted that often; a restart that the runtime failed to make is in no diary, and leaves its
    trial empty.  Raises WaitTimeout.
    """
    order = list(DELAYS)
    wanted = 1 + max(order.index(trial["restart"]) for trial in trials)
    longest = sum(DELAYS[level] for level in order[:wanted]) * 1.5 + 60
    pods = _settled(namespace, "crash", lambda pod: restarts(pod) >= wanted and not _running(pod), longest)
    diaries = [gaps(namespace.cluster.kube.logs(pod["metadata"]["name"], namespace.name, lines=100)) for pod in pods]
    remaining = {level: iter(diaries) for level in order}
    return [delay(trial["restart"], next(remaining[trial["restart"]])) for trial in trials]


def delay(level: str, seconds: Sequence[float]) -> dict[str, float]:
    """The delay of one restart, from a pod's diary."""
    before = list(DELAYS).index(level)
    if len(seconds) <= before:
        return {}
    if not DELAYS[level]:
        return {"at_once_seconds": seconds[before]}
    return {"delay_seconds": seconds[before], "predicted_seconds": DELAYS[level]}


def gaps(diary: str) -> list[float]:
    """Seconds between one run and the next: a run takes some milliseconds, so that its begin stands for its end."""
    return [later - earlier for earlier, later in pairwise(map(float, diary.split()))]


def _running(pod: Object) -> bool:
    """Its log is not complete yet."""
    return any("running" in c["state"] for c in pod.get("status", {}).get("containerStatuses") or [])


def _pods(namespace: Namespace, group: str) -> list[Object]:
    return namespace.cluster.kube.list("Pod", namespace.name, labels=f"app.kubernetes.io/instance={group}")


def _settled(namespace: Namespace, group: str, done: Any, seconds: float) -> list[Object]:
    """The pods of a group, once each of them is `done`."""
    kube = namespace.cluster.kube
    names = [pod["metadata"]["name"] for pod in _pods(namespace, group)]
    found = [wait.until(kube, "Pod", name, namespace.name, done=done, what="so far", seconds=seconds) for name in names]
    return [pod for pod in found if pod is not None]


def _crasher(name: str, image: str) -> Object:
    container = {
        "name": "crash",
        "image": image,
        "command": ["sh", "-c", CRASH],
        "volumeMounts": [{"name": "diary", "mountPath": "/diary"}],
        "resources": {"requests": {"cpu": "10m", "memory": "8Mi"}, "limits": {"memory": "32Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "diary", "emptyDir": {}}],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    labels = {
        "app.kubernetes.io/name": "crash",
        "app.kubernetes.io/instance": "crash",
        "app.kubernetes.io/version": image.rpartition(":")[2],
        "app.kubernetes.io/component": "trial",
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
