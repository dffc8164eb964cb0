"""A Go program's last words are many lines: are they one record?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kitlib import wait
from kitlib.cluster import Space
from kitlib.measure import lines
from kitlib.telemetry.logs import COLUMNS, Logs, matching

WAYS = ("nil map", "goroutine", "two lines", "deadlock")  # as cluster/images/panics has them
UNITS = {"whole": "0/1"}
FIELDS = {**COLUMNS, "stream": "stream"}


def trials(logs: Logs, space: Space, image: str, ways: Sequence[str]) -> list[dict[str, float]]:
    """Side by side, a program a way.  records: how many a panic became.  whole: 1 when one of them has all of its text, in order."""
    with ThreadPoolExecutor(len(ways)) as pool:
        pods = list(pool.map(lambda way: run(space, image, way), ways))
    for pod in pods:
        lines.settle(logs, matching(namespace=space.name, pod=pod), 2, patience=5)
    lines.settle(
        logs, {"terms": {"kubernetes.pod.name": pods}}, lines.MOST, patience=1.5
    )  # for those that should not come
    return [_values(logs, space, pod) for pod in pods]


def _values(logs: Logs, space: Space, pod: str) -> dict[str, float]:
    written = last_words(space, pod)
    found = logs.search(matching(namespace=space.name, pod=pod), fields=FIELDS)
    told = found[found["stream"] == "stderr"]["message"]
    return {"records": len(told), "whole": float(any(text.split() == written.split() for text in told))}


def run(space: Space, image: str, way: str) -> str:
    """Let a program panic in that way; returns the name of its pod."""
    name = f"panic-{secrets.token_hex(3)}"
    space.apply(lines.pod(name, image, ["/panics", way]))
    wait.until(space.cluster.kube, "Pod", name, space.name, done=wait.phase("Failed"), what="finished")
    return name


def last_words(space: Space, pod: str) -> str:
    """What it wrote after its line of JSON, as the kubelet has it."""
    log = space.cluster.kube.logs(pod, space.name, lines=500)
    return "\n".join(line for line in log.splitlines() if not line.startswith("{"))
