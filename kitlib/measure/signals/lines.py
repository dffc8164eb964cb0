"""Numbered lines: a pod writes them, and a search of the log store finds out which arrived."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from kitlib.cluster.bound import Namespace
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref
from kitlib.telemetry import polling
from kitlib.telemetry.logs import INDEX, Logs, Query, matching

UNITS = {"lost": "lines", "doubled": "lines", "wrong": "lines", "runs": "0/1"}
TYPED = (
    "kubernetes.namespace",
    "kubernetes.pod.name",
    "kubernetes.container.name",
    "kubernetes.node.name",
    "stream",
    "app.msg",
    "app.n",
)
PATIENCE = 20.0  # seconds without a new line before those that are missing are taken for lost
MOST = 65_000  # lines of one writer: Elasticsearch lists so many values of a field at once
WRITE = """\
i=0
while [ $i -lt {count} ]; do
  i=$((i + 1))
  echo "{{\\"level\\":\\"INFO\\",\\"msg\\":\\"line $i of {count}\\",\\"service\\":\\"writer\\",\\"n\\":$i}}"{pause}
done
"""


@dataclass(frozen=True)
class Writer:
    """A pod that writes `count` lines, numbered from 1."""

    namespace: Namespace
    ref: Ref
    count: int

    @property
    def query(self) -> Query:
        """The query that finds this pod's log lines."""
        return matching(namespace=self.namespace.name, pod=self.ref.name)

    def finished(self, seconds: float = 120) -> None:
        """Wait until it has written all.  Raises WaitTimeout."""
        done = wait.phase("Succeeded")
        wait.until(
            self.namespace.cluster.kube,
            "Pod",
            self.ref.name,
            self.namespace.name,
            done=done,
            what="done",
            seconds=seconds,
        )


def write(namespace: Namespace, image: str, count: int, *, per_second: float | None = None) -> Writer:
    """Start a pod that writes lines of JSON, as fast as it can or at about `per_second`; returns when it runs.  image: with a shell."""
    assert count <= MOST
    pause = f"; usleep {1e6 / per_second:.0f}" if per_second else ""
    name = f"writer-{secrets.token_hex(3)}"
    (ref,) = namespace.apply(pod(name, image, ["sh", "-c", WRITE.format(count=count, pause=pause)]))
    begun = wait.phase("Running", "Succeeded")
    wait.until(namespace.cluster.kube, "Pod", name, namespace.name, done=begun, what="running")
    return Writer(namespace, ref, count)


def pod(name: str, image: str, command: list[str]) -> Object:
    """A pod of one container that runs once."""
    labels = {f"app.kubernetes.io/{key}": value for key, value in (("name", name), ("component", "writer"))}
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "writer",
        "image": image,
        "command": command,
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": security,
    }
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def arrived(logs: Logs, writer: Writer, *, patience: float = PATIENCE) -> dict[str, float]:
    """How many of a writer's lines arrived, once all are there or none has come for `patience` seconds.

    lost: numbers that are missing.  doubled: lines beyond the first of a number.  wrong: lines without one of the fields TYPED.
    """
    settle(logs, writer.query, writer.count, patience)
    counts = numbers(logs, writer.query)
    found = sum(counts.values())
    complete = {"bool": {"filter": [writer.query, *({"exists": {"field": field}} for field in TYPED)]}}
    return {
        "lost": writer.count - len(counts),
        "doubled": found - len(counts),
        "wrong": found - logs.count(complete),
    }


def settle(logs: Logs, query: Query, count: int, patience: float = PATIENCE) -> int:
    """Wait for so many lines; returns how many there are when they are there, or when no new one has come for `patience` seconds."""
    return polling.settled(lambda: logs.count(query), enough=count, patience=patience)


def numbers(logs: Logs, query: Query) -> Mapping[int, int]:
    """How often each number is there."""
    body = {"size": 0, "query": query, "aggs": {"n": {"terms": {"field": "app.n", "size": MOST}}}}
    buckets = logs.ask("POST", f"{INDEX}/_search", body)["aggregations"]["n"]["buckets"]
    return {int(b["key"]): int(b["doc_count"]) for b in buckets}
