"""How long from a fault until the kubelet acts on it, and until the pod is ready again?  One pod per trial, many side by side.

The moments come from the pods' own logs, to the millisecond: the status that the API serves has whole seconds, and is written after
the restart.  Fault and SIGTERM are two lines of the process that was killed, so one clock times both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kitlib.claims import progress
from kitlib.claims.levels import MINE, takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import UsageError, WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref
from kitlib.measure.selfhealing import ownprobe, podlog, probes
from kitlib.measure.selfhealing.probes import CASES, Case
from kitlib.workloads import app

GROUP = "liveness"
SELECTOR = f"app.kubernetes.io/instance={GROUP}"
DEBUG = {"name": "CATALOG_LOG_LEVEL", "value": "DEBUG"}  # goapp then logs each request, and so each probe
AT_ONCE = 8  # pods that start at the same time
WAVE = 8  # pods of each case at a time, the learner's own among them: a node takes 110 pods, and others of the chapter run there
SETTINGS: Mapping[str, Mapping[str, Any]] = {"error": {"rate": 1, "status": 500}, "hang": {}}
LEASE = "2m"  # longer than the slowest probe takes to notice
STARTING = 120  # seconds for a wave to become ready
SLACK = 60  # seconds more than the formula's longest, on a node that is busy


@dataclass(frozen=True)
class Trial:
    """One pod, one fault.  share: when within the period, from 0 to 1."""

    name: str
    case: Case
    share: float


def start(namespace: Namespace, image: str, each: int, *, mine: Sequence[Object] = ()) -> None:
    """Create the first pods of each case now, so that they are ready and probed when `detect` needs them.  mine: as there."""
    cases = ownprobe.cases(mine)
    _create(namespace, image, plan([{"probe": level} for level in cases] * min(each, WAVE), cases))


@takes({"predicted_seconds": "s", "recovery_seconds": "s", "spoiled": "0/1"}, probe=(*CASES, MINE))
def detect(
    namespace: Namespace, image: str, trials: Sequence[Mapping[str, str]], *, mine: Sequence[Object] = ()
) -> list[dict[str, float]]:
    """One value per trial, which is {"probe": a level of CASES, or "mine"}: `detection_seconds` from the fault to SIGTERM,
    `recovery_seconds` from the fault to ready again, `predicted_seconds` by the formula.  A trial whose pod was restarted before
    its fault, as a busy node can do, has `spoiled` 1 and no times.

    mine: the objects of a learner's file, whose liveness probe is the level "mine"; its pods are the kit's in all else.
    Raises InputError before anything runs when that probe cannot be measured, and WaitTimeout when a pod does not start or is not
    restarted in time.
    """
    cases = ownprobe.cases(mine)
    if MINE not in cases and any(trial["probe"] == MINE for trial in trials):
        raise UsageError("the probe 'mine' needs your objects", hint="mine=files.manifests('mine.yaml')")
    planned, size = plan(trials, cases), WAVE * len(cases)
    waves = [planned[i : i + size] for i in range(0, len(planned), size)]
    found = {name: values for wave in waves for name, values in _measure(namespace, image, wave).items()}
    return [found[trial.name] for trial in planned]


def plan(trials: Sequence[Mapping[str, str]], cases: Mapping[str, Case] = CASES) -> list[Trial]:
    """Number the trials of each level, and give each its own part of the period."""
    levels = [trial["probe"] for trial in trials]
    shares = {level: iter(enumerate(probes.phases(levels.count(level), seed))) for seed, level in enumerate(cases)}
    return [
        Trial(f"{GROUP}-{list(cases).index(level)}-{number}", cases[level], share)
        for level in levels
        for number, share in [next(shares[level])]
    ]


def _measure(namespace: Namespace, image: str, wave: Sequence[Trial]) -> dict[str, dict[str, float]]:
    progress.stage(f"starting {len(wave)} pods, and waiting for their first probes")
    started = _create(namespace, image, wave)
    ticks = _first_ticks(namespace, wave, started)
    with ThreadPoolExecutor(len(wave)) as pool:
        progress.stage("injecting a fault into each pod, and waiting for its restart", seconds=_slowest(wave))
        faults = [pool.submit(_inject, namespace, trial, ticks[trial.name]) for trial in wave]
        back = _all_back(namespace, wave)
        for fault in faults:
            fault.result()
    found = {t.name: podlog.values(podlog.previous(namespace, t.name), t.case, back[t.name]) for t in wave}
    for pod in namespace.cluster.kube.list("Pod", namespace.name, labels=SELECTOR):
        namespace.cluster.kube.delete(Ref.of({"apiVersion": "v1", "kind": "Pod", **pod}))
    return found


def _create(namespace: Namespace, image: str, wave: Sequence[Trial]) -> dict[str, pd.Timestamp]:
    """When each pod's container started (whole seconds), once all are ready; the probe that starts last comes first.

    A few at a time: on a node that starts all of them at once, healthy pods miss their probes.
    """
    order = sorted(wave, key=lambda trial: -trial.case.probe.delay)
    groups = [order[i : i + AT_ONCE] for i in range(0, len(order), AT_ONCE)]
    return {name: moment for group in groups for name, moment in _create_group(namespace, image, group).items()}


def _create_group(namespace: Namespace, image: str, group: Sequence[Trial]) -> dict[str, pd.Timestamp]:
    for trial in group:
        manifest = probes.pod(trial.name, image, GROUP, livenessProbe=trial.case.probe.spec(trial.case.path))
        manifest["spec"]["containers"][0]["env"].append(DEBUG)
        namespace.apply(manifest)
    pods = _until(namespace, group, wait.condition("Ready"), "ready", STARTING)
    return {name: pd.Timestamp(_status(pod)["state"]["running"]["startedAt"]) for name, (pod, _) in pods.items()}


def _first_ticks(namespace: Namespace, wave: Sequence[Trial], started: Mapping[str, pd.Timestamp]) -> dict[str, float]:
    """A moment at which each pod was probed; probes follow in steps of the period.  Waits until the initial delays are over.

    Raises ClusterError when a pod was not probed.
    """
    due = max(started[t.name].timestamp() + t.case.probe.delay + t.case.probe.period + 1 for t in wave)
    _sleep_until(due)
    with ThreadPoolExecutor(8) as pool:
        logs = pool.map(lambda trial: podlog.read(namespace, trial.name), wave)
        return {t.name: podlog.first_probe(log, t.name) for t, log in zip(wave, logs, strict=True)}


def _inject(namespace: Namespace, trial: Trial, tick: float) -> None:
    """At this trial's share of a period, in the first period that allows it."""
    period = trial.case.probe.period
    due = tick + trial.share * period
    due += period * max(0, -(-(time.time() - due) // period))
    _sleep_until(due)
    app.inject(namespace, trial.name, trial.case.fault, lease=LEASE, probes=True, **SETTINGS[trial.case.fault])


def _all_back(namespace: Namespace, wave: Sequence[Trial]) -> dict[str, float]:
    """When each pod was seen to be ready again after its restart."""
    pods = _until(namespace, wave, _is_back, "restarted and ready again", _slowest(wave), each=progress.done)
    return {name: seen for name, (_, seen) in pods.items()}


def _slowest(wave: Sequence[Trial]) -> float:
    """Seconds until the slowest probe of the wave has led to a restart, with slack."""
    return SLACK + max(trial.case.probe.latest(trial.case.fault) + trial.case.probe.period for trial in wave)


def _is_back(pod: Object | None) -> bool:
    return pod is not None and _status(pod).get("restartCount", 0) > 0 and wait.condition("Ready")(pod)


def _until(
    namespace: Namespace,
    wave: Sequence[Trial],
    done: Any,
    what: str,
    seconds: float,
    each: Callable[[], None] = lambda: None,
) -> dict[str, tuple[Object, float]]:
    """Each pod of the wave, and when it was first seen to be `done`; `each` is called for every one.  Raises WaitTimeout."""
    missing, found = {trial.name for trial in wave}, {}
    for _, pod in namespace.cluster.kube.watch("Pod", namespace.name, labels=SELECTOR, seconds=seconds):
        name = pod["metadata"]["name"]
        if name in missing and done(pod):
            found[name] = (pod, time.time())
            missing.remove(name)
            each()
        if not missing:
            return found
    raise WaitTimeout(
        f"{len(missing)} of {len(wave)} pods are not {what} after {seconds:.0f} s",
        observed=wait.explain(namespace.cluster.kube, namespace.name)[:20],
        hint="is the node too busy? ./kit status",
    )


def _status(pod: Object) -> Any:
    """The status of the pod's one container; empty before the kubelet has one."""
    return next(iter(pod.get("status", {}).get("containerStatuses") or []), {})


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
