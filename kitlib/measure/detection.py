"""How long from a fault until the kubelet acts on it, and until the pod is ready again?  One pod a trial, many side by side.

The moments come from the pods' own logs, to the millisecond: the status that the API serves has whole seconds, and is written after
the restart.  Fault and SIGTERM are two lines of the process that was killed, so one clock times both.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kitlib import app, wait
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.kube import Object, Ref
from kitlib.measure import podlog, probes
from kitlib.measure.probes import CASES, Case

GROUP = "liveness"
SELECTOR = f"app.kubernetes.io/instance={GROUP}"
DEBUG = {"name": "CATALOG_LOG_LEVEL", "value": "DEBUG"}  # goapp then logs each request, and so each probe
AT_ONCE = 8  # pods that start at the same time
WAVE = 10  # pods of each case at a time: a node takes 110 pods
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


def start(space: Space, image: str, each: int) -> None:
    """Create the first pods of each case now, so that they are ready and probed when `detect` needs them."""
    _create(space, image, plan([{"probe": level} for level in CASES] * min(each, WAVE)))


def detect(space: Space, image: str, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """One value a trial, which is {"probe": a level of CASES}: `detection_seconds` from the fault to SIGTERM,
    `recovery_seconds` from the fault to ready again, `predicted_seconds` by the formula.  A trial whose pod was restarted before
    its fault, as a busy node can do, has `spoiled` 1 and no times.

    Raises WaitTimeout when a pod does not start or is not restarted in time.
    """
    planned, size = plan(trials), WAVE * len(CASES)
    waves = [planned[i : i + size] for i in range(0, len(planned), size)]
    found = {name: values for wave in waves for name, values in _measure(space, image, wave).items()}
    return [found[trial.name] for trial in planned]


def plan(trials: Sequence[Mapping[str, str]]) -> list[Trial]:
    """Number the trials of each level, and give each its own part of the period."""
    levels = [trial["probe"] for trial in trials]
    shares = {level: iter(enumerate(probes.phases(levels.count(level), seed))) for seed, level in enumerate(CASES)}
    return [
        Trial(f"{GROUP}-{list(CASES).index(level)}-{number}", CASES[level], share)
        for level in levels
        for number, share in [next(shares[level])]
    ]


def _measure(space: Space, image: str, wave: Sequence[Trial]) -> dict[str, dict[str, float]]:
    started = _create(space, image, wave)
    ticks = _first_ticks(space, wave, started)
    with ThreadPoolExecutor(len(wave)) as pool:
        faults = [pool.submit(_inject, space, trial, ticks[trial.name]) for trial in wave]
        back = _all_back(space, wave)
        for fault in faults:
            fault.result()
    found = {t.name: podlog.values(podlog.previous(space, t.name), t.case, back[t.name]) for t in wave}
    for pod in space.cluster.kube.list("Pod", space.name, labels=SELECTOR):
        space.cluster.kube.delete(Ref.of({"apiVersion": "v1", "kind": "Pod", **pod}))
    return found


def _create(space: Space, image: str, wave: Sequence[Trial]) -> dict[str, pd.Timestamp]:
    """When each pod's container started (whole seconds), once all are ready; the probe that starts last comes first.

    A few at a time: on a node that starts all of them at once, healthy pods miss their probes.
    """
    order = sorted(wave, key=lambda trial: -trial.case.probe.delay)
    groups = [order[i : i + AT_ONCE] for i in range(0, len(order), AT_ONCE)]
    return {name: moment for group in groups for name, moment in _create_group(space, image, group).items()}


def _create_group(space: Space, image: str, group: Sequence[Trial]) -> dict[str, pd.Timestamp]:
    for trial in group:
        manifest = probes.pod(trial.name, image, GROUP, livenessProbe=trial.case.probe.spec())
        manifest["spec"]["containers"][0]["env"].append(DEBUG)
        space.apply(manifest)
    pods = _until(space, group, wait.condition("Ready"), "ready", STARTING)
    return {name: pd.Timestamp(_status(pod)["state"]["running"]["startedAt"]) for name, (pod, _) in pods.items()}


def _first_ticks(space: Space, wave: Sequence[Trial], started: Mapping[str, pd.Timestamp]) -> dict[str, float]:
    """A moment at which each pod was probed; probes follow in steps of the period.  Waits until the initial delays are over.

    Raises ClusterError when a pod was not probed.
    """
    due = max(started[t.name].timestamp() + t.case.probe.delay + t.case.probe.period + 1 for t in wave)
    _sleep_until(due)
    with ThreadPoolExecutor(8) as pool:
        logs = pool.map(lambda trial: podlog.read(space, trial.name), wave)
        return {t.name: podlog.first_probe(log, t.name) for t, log in zip(wave, logs, strict=True)}


def _inject(space: Space, trial: Trial, tick: float) -> None:
    """At this trial's share of a period, in the first period that allows it."""
    period = trial.case.probe.period
    due = tick + trial.share * period
    due += period * max(0, -(-(time.time() - due) // period))
    _sleep_until(due)
    app.inject(space, trial.name, trial.case.fault, lease=LEASE, probes=True, **SETTINGS[trial.case.fault])


def _all_back(space: Space, wave: Sequence[Trial]) -> dict[str, float]:
    """When each pod was seen to be ready again after its restart."""
    slowest = max(trial.case.probe.latest(trial.case.fault) + trial.case.probe.period for trial in wave)
    pods = _until(space, wave, _is_back, "restarted and ready again", slowest + SLACK)
    return {name: seen for name, (_, seen) in pods.items()}


def _is_back(pod: Object | None) -> bool:
    return pod is not None and _status(pod).get("restartCount", 0) > 0 and wait.condition("Ready")(pod)


def _until(
    space: Space, wave: Sequence[Trial], done: Any, what: str, seconds: float
) -> dict[str, tuple[Object, float]]:
    """Each pod of the wave, and when it was first seen to be `done`.  Raises WaitTimeout."""
    missing, found = {trial.name for trial in wave}, {}
    for _, pod in space.cluster.kube.watch("Pod", space.name, labels=SELECTOR, seconds=seconds):
        name = pod["metadata"]["name"]
        if name in missing and done(pod):
            found[name] = (pod, time.time())
            missing.remove(name)
        if not missing:
            return found
    raise WaitTimeout(
        f"{len(missing)} of {len(wave)} pods are not {what} after {seconds:.0f} s",
        observed=wait.explain(space.cluster.kube, space.name)[:20],
        hint="is the node too busy? ./kit status",
    )


def _status(pod: Object) -> Any:
    """The status of the pod's one container; empty before the kubelet has one."""
    return next(iter(pod.get("status", {}).get("containerStatuses") or []), {})


def _sleep_until(moment: float) -> None:
    threading.Event().wait(max(0.0, moment - time.time()))
