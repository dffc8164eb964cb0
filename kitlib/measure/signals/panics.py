"""A panic of a Go program is many lines: do they become one record?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.kube import wait
from kitlib.measure.signals import lines
from kitlib.telemetry.logs import COLUMNS, Logs, matching

WAYS = ("nil map", "goroutine", "two lines", "deadlock")  # as cluster/images/panics has them
UNITS = {"whole": "0/1"}
FIELDS = {**COLUMNS, "stream": "stream"}


@takes(UNITS, ways=WAYS)
def trials(logs: Logs, namespace: Namespace, image: str, ways: Sequence[str]) -> list[dict[str, float]]:
    """Side by side, one program per way.  records: how many a panic became.  whole: 1 when one of them has all of its text, in order."""
    with ThreadPoolExecutor(len(ways)) as pool:
        pods = list(pool.map(lambda way: run(namespace, image, way), ways))
    for pod in pods:
        lines.settle(logs, matching(namespace=namespace.name, pod=pod), 2, patience=5)
    lines.settle(
        logs, {"terms": {"kubernetes.pod.name": pods}}, lines.MOST, patience=1.5
    )  # for those that should not come
    return [_values(logs, namespace, pod) for pod in pods]


def _values(logs: Logs, namespace: Namespace, pod: str) -> dict[str, float]:
    written = last_words(namespace, pod)
    found = logs.search(matching(namespace=namespace.name, pod=pod), fields=FIELDS)
    told = found[found["stream"] == "stderr"]["message"]
    return {"records": len(told), "whole": float(any(text.split() == written.split() for text in told))}


def run(namespace: Namespace, image: str, way: str) -> str:
    """Let a program panic in that way; returns the name of its pod."""
    name = f"panic-{secrets.token_hex(3)}"
    namespace.apply(lines.pod(name, image, ["/panics", way]))
    wait.until(namespace.cluster.kube, "Pod", name, namespace.name, done=wait.phase("Failed"), what="finished")
    return name


def last_words(namespace: Namespace, pod: str) -> str:
    """The lines after its line of JSON, from the kubelet's log."""
    log = namespace.cluster.kube.logs(pod, namespace.name, lines=500)
    return "\n".join(line for line in log.splitlines() if not line.startswith("{"))
