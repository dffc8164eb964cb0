"""The shipper: how long until a search finds a line, by settings; and what the shipper does without a part of its configuration."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import yaml

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.kube import kustomize, wait
from kitlib.kube.client import STRATEGIC, Object
from kitlib.measure.signals import lines
from kitlib.stacks import base
from kitlib.stacks.logs import SHIPPER
from kitlib.telemetry.logs import Logs

CONFIGURATION = kustomize.CLUSTER / "stacks" / SHIPPER.name / "filebeat.yml"
NAME = "filebeat"
LOOK = 0.03  # seconds between two looks
EACH = 1.0  # seconds from line to line, on average
UNITS = {"p95": "s", "longest": "s"}
ready = wait.condition("Ready")


@dataclass(frozen=True)
class Settings:
    """refresh: how often Elasticsearch shows what it has.  least, most: how long the shipper rests before it reads a quiet file again."""

    refresh: str = "1s"
    least: str = "100ms"
    most: str = "500ms"


SETTINGS: Mapping[str, Settings] = {
    "the kit's": Settings(),
    "refresh 200 ms": Settings(refresh="200ms"),
    "Filebeat's back-off": Settings(least="2s", most="10s"),
}


@takes(UNITS, setting=SETTINGS)
def freshness(logs: Logs, namespace: Namespace, image: str, setting: str, count: int) -> dict[str, float]:
    """Seconds from writing a line until a search finds it: median (`age`), 95th percentile, longest.

    A line's time is the container runtime's, on the same machine and clock.  Lines come at random moments, a second apart on average.
    """
    wanted = SETTINGS[setting]
    with backoff(namespace.cluster, wanted):
        logs.settings(refresh_interval=wanted.refresh)
        try:
            ages = _ages(logs, _written(namespace, image, count), count)
        finally:
            logs.settings(refresh_interval="1s")
    return {"age": float(np.median(ages)), "p95": float(np.quantile(ages, 0.95)), "longest": max(ages)}


def _written(namespace: Namespace, image: str, count: int) -> str:
    """The name of a pod that writes lines at random moments."""
    pauses = np.random.default_rng(0).exponential(EACH, count).clip(0.05, 4 * EACH)
    script = "sleep 1; " + "; ".join(
        f'echo \'{{"n":{n},"msg":"fresh"}}\'; sleep {p:.2f}' for n, p in enumerate(pauses, 1)
    )
    name = f"fresh-{secrets.token_hex(3)}"
    namespace.apply(lines.pod(name, image, ["sh", "-c", script]))
    return name


def _ages(logs: Logs, pod: str, count: int) -> list[float]:
    """Ask for lines with a higher number, over and over: a search is the only way to know that one can be found."""
    ages: list[float] = []
    last, deadline = 0, time.monotonic() + count * EACH * 4 + 30
    while last < count and time.monotonic() < deadline:
        body = {
            "size": count,
            "sort": [{"app.n": "asc"}],
            "query": {"bool": {"filter": [{"term": {"kubernetes.pod.name": pod}}, {"range": {"app.n": {"gt": last}}}]}},
        }
        hits = logs.ask("POST", "kit-logs-*/_search", body)["hits"]["hits"]
        now = pd.Timestamp.now("UTC")
        ages += [(now - pd.Timestamp(hit["_source"]["@timestamp"])).total_seconds() for hit in hits]
        last = hits[-1]["_source"]["app"]["n"] if hits else last
        time.sleep(LOOK)
    return ages


@contextmanager
def backoff(cluster: Cluster, wanted: Settings) -> Iterator[None]:
    """The shipper with other rests, while the block runs."""
    if wanted == Settings(refresh=wanted.refresh):
        yield
        return
    _rest(cluster, wanted)
    try:
        yield
    finally:
        _rest(cluster, Settings())


@contextmanager
def away(cluster: Cluster) -> Iterator[None]:
    """No shipper on any node, while the block runs."""
    namespace = base.find(cluster, SHIPPER)
    assert namespace is not None
    pods = cluster.kube.list("Pod", namespace.name)
    change(cluster, {"nodeSelector": {"kit.local/nowhere": "1"}})
    for pod in pods:
        wait.until(cluster.kube, "Pod", pod["metadata"]["name"], namespace.name, done=wait.gone, what="gone")
    try:
        yield
    finally:
        change(cluster, {"nodeSelector": None})
        _back(cluster)


PARTS: Mapping[str, tuple[str, ...]] = {  # configuration: what is left out of it
    "all three": (),
    "input and filter": ("output.elasticsearch",),
    "filter alone": ("filebeat.inputs", "output.elasticsearch"),
}


@takes(lines.UNITS, configurations=PARTS)
def pipelines(
    logs: Logs, namespace: Namespace, image: str, configurations: Sequence[str], count: int
) -> list[dict[str, float]]:
    """For each trial, a configuration of PARTS: what arrives of `count` lines (`arrived`, %), and whether the shipper goes on (`runs`).

    With all three parts it is the shipper as it is, and lines can also be missing, doubled or without their fields.  All others run
    side by side, while the kit's shipper is away.
    """
    wanted = [PARTS[configuration] for configuration in configurations]
    whole = iter([_whole(logs, namespace, image, count) for parts in wanted if not parts])
    with away(namespace.cluster), ThreadPoolExecutor() as pool:
        broken = pool.map(lambda parts: _broken(logs, namespace, image, parts, count), filter(None, wanted))
    return [next(broken if parts else whole) for parts in wanted]


def _whole(logs: Logs, namespace: Namespace, image: str, count: int) -> dict[str, float]:
    found = lines.arrived(logs, lines.write(namespace, image, count))
    stays = base.READY["DaemonSet"](namespace.cluster.kube.get("DaemonSet", NAME, SHIPPER.instance))
    return {"arrived": 100 * (1 - found["lost"] / count), "runs": float(stays), **found}


def _broken(logs: Logs, namespace: Namespace, image: str, parts: tuple[str, ...], count: int) -> dict[str, float]:
    with alone(namespace.cluster, parts) as runs:
        writer = lines.write(namespace, image, count)
        writer.finished()
        return {"arrived": 100 * lines.settle(logs, writer.query, count, patience=3) / count, "runs": float(runs)}


@contextmanager
def alone(cluster: Cluster, parts: tuple[str, ...]) -> Iterator[bool]:
    """A shipper without these parts of its configuration, while the block runs: True when it goes on running, False when it has ended."""
    namespace = base.find(cluster, SHIPPER)
    assert namespace is not None
    name = f"{NAME}-{secrets.token_hex(3)}"
    refs = namespace.apply(*without(cluster, parts, name))
    ended = wait.phase("Failed", "Succeeded")
    try:
        pod = wait.until(
            cluster.kube, "Pod", name, namespace.name, done=lambda p: ended(p) or ready(p), what="ended or ready"
        )
        yield not ended(pod)
    finally:
        for ref in refs:
            cluster.kube.delete(ref)
        wait.until(cluster.kube, "Pod", name, namespace.name, done=wait.gone, what="gone")


def without(cluster: Cluster, parts: tuple[str, ...], name: str) -> list[Object]:
    """A ConfigMap and a pod with the shipper: the kit's configuration without some of its parts, which runs once and is not restarted."""
    manifests = base.render(cluster, SHIPPER)
    template = next(m for m in manifests if m["kind"] == "DaemonSet")["spec"]["template"]
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    text = yaml.safe_dump({key: value for key, value in configuration.items() if key not in parts})
    labels = {**template["metadata"]["labels"], "app.kubernetes.io/instance": name}
    volumes = [
        {"name": "config", "configMap": {"name": name}},
        {"name": "positions", "emptyDir": {}},
        next(v for v in template["spec"]["volumes"] if v["name"] == "logs"),
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": labels},
            "data": {"filebeat.yml": text},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {**template["spec"], "restartPolicy": "Never", "volumes": volumes},
        },
    ]


def _rest(cluster: Cluster, wanted: Settings) -> None:
    env = [{"name": "BACKOFF_INIT", "value": wanted.least}, {"name": "BACKOFF_MAX", "value": wanted.most}]
    change(cluster, {"containers": [{"name": NAME, "env": env}]})
    _back(cluster)


def change(cluster: Cluster, spec: Object) -> None:
    """Change the shipper's pods, by a strategic merge."""
    patch = {"spec": {"template": {"spec": spec}}}
    cluster.kube.patch("DaemonSet", NAME, SHIPPER.instance, patch, content=STRATEGIC)


def _back(cluster: Cluster) -> None:
    wait.until(
        cluster.kube, "DaemonSet", NAME, SHIPPER.instance, done=base.READY["DaemonSet"], what="ready", seconds=90
    )
