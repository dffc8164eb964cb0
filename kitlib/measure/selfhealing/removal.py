"""After a fault, how long does a Service go on sending requests to the pod?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError
from kitlib.measure.selfhealing import probes
from kitlib.measure.selfhealing.probes import Probe
from kitlib.workloads import app, traffic

CASES: Mapping[str, Probe] = {
    "1 s, 3 failures": Probe(period=1, failures=3),
    "2 s, 2 failures": Probe(period=2, failures=2),
}
TREATMENTS = ("faults", "quick-exit", "no-liveness")
RATE = 200  # requests per second in all: a pod gets one every few hundredths of a second
SPACING = 1.0  # seconds from fault to fault, on average: kube-proxy puts off a change that comes too soon after another
AFTER = 2.0  # seconds of load after the last pod should have gone
LONGEST = 60  # seconds of load at most, on a node that is busy


@dataclass(frozen=True)
class Faulty:
    """A pod that was made not ready at `fault` (UTC)."""

    pod: str
    level: str
    fault: pd.Timestamp


def start(namespace: Namespace, image: str, each: int) -> None:
    """A Service for each probe in CASES, with one pod more than will become faulty; returns when they are ready."""
    for level, probe in CASES.items():
        namespace.apply(
            *probes.replicas(_name(level), image, each + 1, treatments=TREATMENTS, readinessProbe=probe.spec("/ready"))
        )
        app.roll_out(namespace, _name(level))


@takes({"served_seconds": "s", "detection_seconds": "s"}, probe=CASES)
def last_served(namespace: Namespace, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """One value per trial, which is {"probe": a level of CASES}: `served_seconds` from the fault to the last request that the pod
    answered, `detection_seconds` at most by the formula, and `late_seconds`, the former minus the latter.

    Each trial is one pod of the Service that `start` made.  Every request comes with a connection of its own: an old connection
    stays with its pod whatever the endpoints say.
    """
    pods = {level: iter(app.pods(namespace, _name(level))) for level in CASES}
    chosen = [(str(next(pods[t["probe"]])["metadata"]["name"]), t["probe"]) for t in trials]
    urls = [f"http://{_name(level)}/items" for level in CASES]
    with traffic.open_loop(namespace, urls, rate=RATE, seconds=LONGEST, keepalive=False) as load:
        moments = [share * SPACING * len(chosen) for share in probes.phases(len(chosen))]
        with ThreadPoolExecutor(len(chosen)) as pool:
            faulty = list(pool.map(lambda pod, seconds: _inject(namespace, pod, seconds), chosen, moments))
        _sleep(max(probe.latest() for probe in CASES.values()) + AFTER)
        load.stop()
    results = load.results()
    return [values(results, it) for it in faulty]


def values(results: pd.DataFrame, it: Faulty) -> dict[str, float]:
    """The load's figures for one pod.  Raises ClusterError when the load did not go on for long enough to see its end."""
    detection = CASES[it.level].latest()
    went_on = (results["time"].max() - it.fault).total_seconds()
    if went_on < detection + 1:
        raise ClusterError(
            f"the load went on for {went_on:.1f} s after the fault in {it.pod}", hint="is the node too busy?"
        )
    mine = results[results["ok"] & (results["served_by"] == it.pod)]
    served = float((mine["time"].max() - it.fault).total_seconds())
    return {"served_seconds": served, "detection_seconds": detection, "late_seconds": served - detection}


def _inject(namespace: Namespace, chosen: tuple[str, str], seconds: float) -> Faulty:
    pod, level = chosen
    _sleep(seconds)
    app.inject(namespace, pod, "not-ready", lease="1m")
    return Faulty(pod, level, pd.Timestamp.now("UTC"))


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def _name(level: str) -> str:
    return "ready-" + level.split()[0] + "s"
