"""A liveness probe as numbers: how long it takes to notice a fault, by formula; and pods to try it on.

With period P, failures F and timeout T, a fault at a random moment is acted on after (kubelet, pkg/kubelet/prober/worker.go)

    fast failure:  U(0, P) + (F-1) P              a probe's own latency, some milliseconds, is left out
    hang:          U(0, P) + (F-1) max(P, T) + T  a probe that hangs holds up the next one

where U(0, P), uniform between 0 and P, is the time to the next probe.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from kitlib.kube.client import Object
from kitlib.views.chart import Lane, Span
from kitlib.views.timeline import Timeline, draw
from kitlib.workloads import app

Fault = Literal["error", "hang"]
TREATMENTS = ("faults", "quick-exit", "no-startup", "no-liveness")
# There are many pods, and they have nothing to do.
IDLE = {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}}
# Kubernetes' own.
DEFAULTS = {"initialDelaySeconds": 0, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}


@dataclass(frozen=True)
class Probe:
    """The four numbers of a probe: three times in seconds, and how many failures in a row count.  The defaults are Kubernetes' own."""

    delay: int = 0
    period: int = 10
    timeout: int = 1
    failures: int = 3

    def earliest(self, fault: Fault = "error") -> float:
        """Seconds from a fault to the decision to restart, when a probe follows at once."""
        if fault == "error":
            return (self.failures - 1) * self.period
        return (self.failures - 1) * max(self.period, self.timeout) + self.timeout

    def latest(self, fault: Fault = "error") -> float:
        """The same when a probe has only just passed."""
        return self.earliest(fault) + self.period

    def mean(self, fault: Fault = "error") -> float:
        """The same over all moments between two probes."""
        return self.earliest(fault) + self.period / 2

    def failing(self, pause: float) -> int:
        """How many successive probes fail in a pause of `pause` seconds: those whose timeout ends before it does."""
        return max(0, math.ceil((pause - self.timeout) / max(self.period, self.timeout)))

    def spec(self, path: str = "/health") -> Object:
        """As a container's livenessProbe or readinessProbe."""
        numbers = (self.delay, self.period, self.timeout, self.failures)
        return {"httpGet": {"path": path, "port": "http"}, **dict(zip(DEFAULTS, numbers, strict=True))}

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Probe:
        """Of a container's probe, as the API has it."""
        return cls(*(int(spec.get(key, default)) for key, default in DEFAULTS.items()))

    def __str__(self) -> str:
        return f"delay {self.delay} s, period {self.period} s, timeout {self.timeout} s, {self.failures} failures"


@dataclass(frozen=True)
class Case:
    """A probe against a kind of fault.  path: what it asks."""

    probe: Probe
    fault: Fault = "error"
    path: str = "/health"

    @property
    def predicted(self) -> float:
        """The mean time to detection by the formula, in seconds."""
        return self.probe.mean(self.fault)


GUIDE = Probe(delay=30, period=10, timeout=5, failures=3)
CASES: Mapping[str, Case] = {
    "the guide's": Case(GUIDE),
    "5 s, 3 failures": Case(Probe(period=5, failures=3)),
    "1 s, 5 failures": Case(Probe(period=1, failures=5)),
    "2 s, 3 failures, hang": Case(Probe(period=2, timeout=3, failures=3), "hang"),
}


def table(cases: Mapping[str, Case] = CASES) -> pd.DataFrame:
    """One row per case: its numbers, and the formula's results: earliest, mean and latest detection in seconds."""
    rows = {
        name: {**vars(case.probe), "fault": case.fault}
        | {"earliest": case.probe.earliest(case.fault), "mean": case.predicted, "latest": case.probe.latest(case.fault)}
        for name, case in cases.items()
    }
    return pd.DataFrame(rows).T


def phases(n: int, seed: int = 0) -> list[float]:
    """n random moments of a period, as shares of it, one in each n-th.

    Each is as likely as any other, and together they cover the period: their mean strays less than that of n free draws.
    """
    rng = np.random.default_rng(seed)
    return [float(share) for share in (rng.permutation(n) + rng.random(n)) / n]


def pod(name: str, image: str, group: str, *, treatments: Sequence[str] = (), **container: Any) -> Object:
    """goapp as a bare pod that takes faults and leaves at once when told to; its only probe is readiness, every second.

    group: its instance label, by which the pods of one experiment are watched together.  container: more of its fields, such as
    livenessProbe.  A pod and not a Deployment, as each trial has a pod of its own.
    """
    manifest = app.pod(group, image, treatments=(*TREATMENTS, *treatments))
    manifest["metadata"]["name"] = name
    manifest["spec"].pop("topologySpreadConstraints", None)  # these are no replicas of each other
    manifest["spec"]["containers"][0].update(resources=IDLE, **container)
    return manifest


def replicas(name: str, image: str, count: int, *, treatments: Sequence[str] = (), **container: Any) -> list[Object]:
    """goapp as `app.manifests` has it, with fields of its container replaced."""
    manifests = app.manifests(name, image, replicas=count, treatments=treatments)
    container_of(only(manifests)).update(resources=IDLE, **container)
    return manifests


def only(manifests: Sequence[Object], kind: str = "Deployment", name: str = "") -> Object:
    """The one object of that kind, and of that name where there are several."""
    (found,) = (m for m in manifests if m["kind"] == kind and name in ("", m["metadata"]["name"]))
    return found


def container_of(deployment: Object) -> Any:
    """The one container of a Deployment's pods, to be looked at or changed in place."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def timeline(runs: pd.DataFrame, column: str = "probe") -> Timeline:
    """The middle trial of each level of a runs frame with detection_seconds and recovery_seconds, from the fault on."""
    middle = runs.groupby([column, "metric"])["value"].median().unstack()
    lanes = [
        Lane(str(level), tuple(_spans(row["detection_seconds"], row["recovery_seconds"])))
        for level, row in middle.sort_values("detection_seconds").iterrows()
    ]
    return draw("from the fault to ready again (medians)", lanes)


def _spans(detected: float, recovered: float) -> list[Span]:
    return [
        Span(0, detected, "", "faulty, not yet noticed"),
        Span(detected, recovered, "", "restarting"),
        Span(recovered, None, "", "ready"),
    ]
