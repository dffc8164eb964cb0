"""One slow backend behind several pods: which of them does the kubelet restart?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.kube.client import Object
from kitlib.measure.selfhealing import probes
from kitlib.measure.selfhealing.probes import Probe
from kitlib.measure.workloads.pods import restarts
from kitlib.workloads import app

BACKEND = "backend"
CALLERS: Mapping[str, bool] = {"asks the backend": True, "asks only itself": False}  # what /health depends on
REPLICAS = 3
PROBE = Probe(period=1, failures=3)
SLOW = 5  # seconds that the backend takes to answer: more than the probe's timeout
LASTS = 8  # seconds that the backend stays slow: more than the probe needs to give up
SETTLE = 4  # seconds more until the status shows which pods are being restarted
PATIENCE = 45  # the same on a node that is busy


def caller(name: str, image: str, *, depends: bool) -> list[Object]:
    """Replicas that pass requests on to the backend; `depends`: /health also asks it."""
    treatments = ("middle", "quick-exit", *(("health-depends",) if depends else ()))
    return probes.replicas(name, image, REPLICAS, treatments=treatments, livenessProbe=PROBE.spec())


def backend(image: str) -> list[Object]:
    """The backend of the callers, which takes faults."""
    return probes.replicas(BACKEND, image, 1, treatments=("backend", "faults", "quick-exit"))


def start(namespace: Namespace, image: str) -> None:
    """The backend, and two sets of callers, alike but for what their liveness probe asks; returns when the backend is ready."""
    namespace.apply(*backend(image))
    app.roll_out(namespace, BACKEND)
    for level, depends in CALLERS.items():
        namespace.apply(*caller(_name(level), image, depends=depends))


@takes(liveness=CALLERS)
def slow_backend(namespace: Namespace, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """One value per trial, which is {"liveness": a level of CALLERS}: `restarted`, the share of its pods that were restarted, in %.

    The backend becomes slow for both sets at once, as often as a set has trials.
    """
    times = len(trials) // len(CALLERS)
    found = [provoke(namespace, [_name(level) for level in CALLERS], patience=PATIENCE) for _ in range(times)]
    turns = {level: iter([gained[_name(level)] for gained in found]) for level in CALLERS}
    return [{"restarted": _share(next(turns[trial["liveness"]]))} for trial in trials]


def provoke(namespace: Namespace, callers: Sequence[str], *, patience: float = SETTLE) -> dict[str, list[int]]:
    """Make the backend slow for a while, and count for each caller how many restarts each of its pods had by the end.

    The end is when all pods of one caller have had one, or after `patience` seconds more.  Raises WaitTimeout when a pod is not ready
    to begin with.
    """
    before = {}
    for name in (BACKEND, *callers):
        deployment = app.roll_out(namespace, name)
        before[name] = {pod["metadata"]["name"]: restarts(pod) for pod in app.selected(namespace, deployment)}
    for pod in before.pop(BACKEND):
        app.inject(namespace, pod, "delay", lease=f"{LASTS}s", duration=f"{SLOW}s", probes=True)
    time.sleep(LASTS)
    _until_restarted(namespace, list(before.values()), patience)
    after = {pod["metadata"]["name"]: restarts(pod) for pod in namespace.cluster.kube.list("Pod", namespace.name)}
    return {name: [after.get(pod, 0) - count for pod, count in before[name].items()] for name in callers}


def _until_restarted(namespace: Namespace, sets: Sequence[Mapping[str, int]], seconds: float) -> None:
    """Return when each pod of one of these sets has had more restarts than it says, or when the time is over."""
    seen: dict[str, int] = {}
    for _, pod in namespace.cluster.kube.watch("Pod", namespace.name, seconds=seconds):
        seen[pod["metadata"]["name"]] = restarts(pod)
        if any(all(seen.get(name, 0) > count for name, count in one.items()) for one in sets):
            return


def _share(gained: Sequence[int]) -> float:
    return 100 * sum(count > 0 for count in gained) / len(gained)


def _name(level: str) -> str:
    return level.replace(" ", "-")
