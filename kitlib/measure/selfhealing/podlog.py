"""A trial's moments, as goapp's own log has them: JSON lines of slog, with nanoseconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import ApiError, ClusterError
from kitlib.measure.selfhealing.probes import Case

LINES = 2000  # of a log: some 3 a second
Entry = dict[str, Any]


def read(namespace: Namespace, pod: str) -> list[Entry]:
    """The log of the pod's container."""
    return entries(namespace.cluster.kube.logs(pod, namespace.name, lines=LINES))


def previous(namespace: Namespace, pod: str) -> list[Entry]:
    """The same of the run before this one; nothing when the kubelet has not kept it."""
    try:
        return entries(namespace.cluster.kube.logs(pod, namespace.name, lines=LINES, previous=True))
    except ApiError as e:
        if e.status == 400:  # the API's answer for "previous terminated container not found"
            return []
        raise


def values(log: Sequence[Entry], case: Case, back: float) -> dict[str, float]:
    """The moments in the log of the run that was ended; `back`: when the pod was ready again.

    A run that ended without the fault spoils its trial, which then has no times.
    """
    fault, told = moment(log, msg="fault injected"), moment(log, msg="draining")
    if fault is None or told is None:
        return {"spoiled": 1}
    return {
        "detection_seconds": told - fault,
        "recovery_seconds": back - fault,
        "predicted_seconds": case.predicted,
        "spoiled": 0,
    }


def first_probe(log: Sequence[Entry], pod: str) -> float:
    """When the liveness probe first asked.  Raises ClusterError when it has not."""
    probed = moment(log, path="/health")
    if probed is None:
        raise ClusterError(
            f"{pod} was not probed yet", observed=[str(entry) for entry in log[-5:]], hint="./kit status"
        )
    return probed


def entries(text: str) -> list[Entry]:
    """Lines of slog's JSON; what else a container writes is left out."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def moment(log: Sequence[Entry], **fields: str) -> float | None:
    """The time of the first entry with these fields, in seconds since 1970; None without one."""
    times = (entry["time"] for entry in log if fields.items() <= entry.items())
    first = next(times, None)
    return None if first is None else float(pd.Timestamp(first).timestamp())
