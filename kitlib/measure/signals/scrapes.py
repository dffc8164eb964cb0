"""From a change of a metric to a sample that has it, against the formula; and what a pod's own path of metrics is worth.

A scrape comes every I seconds, whatever happens in between, so that a change at a random moment waits for the next one uniformly between
0 and I: I / 2 on average, and at most I.  On top of that comes what the scrape itself takes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.dashboards import RED
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.telemetry.metrics import Metrics
from kitlib.workloads import app

CELL = 0.08  # seconds: one change in each, at a random moment of it, so that all phases of an interval are met alike
INTERVALS = ("1 s", "2 s", "4 s")
PATH = "/items"
UNITS = {"predicted": "s", "of_interval": "%", "scrape": "s"}
ready = wait.condition("Ready")


def pod(name: str, image: str, *, path: str = "/metrics", interval: str = "2s") -> Object:
    """goapp, scraped, with a line for each request."""
    it = app.pod(name, image, treatments=["scraped", "quick-exit"], env={"CATALOG_LOG_LEVEL": "DEBUG"})
    it["metadata"]["annotations"] |= {"prometheus.io/path": path, "prometheus.io/interval": interval}
    it["metadata"]["labels"]["app.kubernetes.io/instance"] = name
    return it


def run(metrics: Metrics, namespace: Namespace, pods: Sequence[Object]) -> None:
    """Apply pods, and wait until they are ready and have been scraped, with or without success."""
    for ref in namespace.apply(*pods):
        wait.until(namespace.cluster.kube, "Pod", ref.name, namespace.name, done=ready, what="ready")
    names = "|".join(it["metadata"]["name"] for it in pods)
    metrics.until(f'count(up{{namespace="{namespace.name}", pod=~"{names}"}}) == {len(pods)}')


@takes(UNITS, intervals=INTERVALS)
def changes(metrics: Metrics, namespace: Namespace, image: str, intervals: Sequence[str]) -> list[dict[str, float]]:
    """A trial for each entry, which is the interval to scrape at, such as "2 s": seconds until the change was seen.

    seen: from the request, as goapp's log dates it, to the end of the first scrape that counts it; scrape: what that scrape took of it;
    predicted: I / 2; of_interval: `seen` as a share of I.  The requests of one interval go to one pod.
    """
    counts = {interval: list(intervals).count(interval) for interval in intervals}
    pods = {interval: f"every-{interval.replace(' ', '')}" for interval in counts}
    run(metrics, namespace, [pod(name, image, interval=i.replace(" ", "")) for i, name in pods.items()])
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda interval: _ask(namespace, pods[interval], counts[interval]), counts))
    found = {i: iter(_seen(metrics, namespace, pods[i], counts[i], float(i.removesuffix(" s")))) for i in counts}
    return [next(found[interval]) for interval in intervals]


def _ask(namespace: Namespace, name: str, count: int) -> None:
    moments = (np.arange(count) + np.random.default_rng(count + len(name)).uniform(size=count)) * CELL
    began = time.monotonic()
    for moment in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        app.ask(namespace, name, PATH)


def _seen(metrics: Metrics, namespace: Namespace, name: str, count: int, interval: float) -> list[dict[str, float]]:
    of = f'pod="{name}", namespace="{namespace.name}"'
    counter = f'http_request_duration_seconds_count{{{of}, route="{PATH}", code="200"}}'
    metrics.until(f"{counter} >= {count}")
    moments = requests(namespace, name)
    span = int((pd.Timestamp.now("UTC") - moments[0]).total_seconds()) + 2
    samples = metrics.samples(counter, span).sort_values("time")
    took = metrics.samples(f"scrape_duration_seconds{{{of}}}", span).set_index("time")["value"]
    first = np.searchsorted(samples["value"], np.arange(1, count + 1))
    found = []
    for moment, at in zip(moments, samples["time"].iloc[first], strict=True):
        seen = (at - moment).total_seconds() + took[at]
        row = {"seen": seen, "scrape": float(took[at]), "predicted": interval / 2}
        found.append({**row, "of_interval": 100 * seen / interval})
    return found


def requests(namespace: Namespace, name: str) -> list[pd.Timestamp]:
    """When a pod's requests for PATH were answered, by its own log."""
    text = namespace.cluster.kube.logs(name, namespace.name, lines=100_000)
    lines = (json.loads(line) for line in text.splitlines())
    return sorted(pd.Timestamp(line["time"]) for line in lines if line.get("path") == PATH)


CONFIGURATIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {  # name: path that is scraped, what is asked then
    "the section's": (
        "/actuator/prometheus",
        ("rate(http_server_requests_seconds_count[5m])", "jvm_memory_used_bytes"),
    ),
    "Go's own": ("/metrics", tuple(query.filled() for panel in RED.panels for query in panel.queries)),
}
TARGET_UNITS = {"up": "0/1", "answered": "%", "go": "series", "process": "series", "buckets": "series"}
SERIES = {"go": "go_.+", "process": "process_.+", "buckets": "http_request_duration_seconds_bucket"}


@takes(TARGET_UNITS, configurations=CONFIGURATIONS)
def targets(
    metrics: Metrics, namespace: Namespace, image: str, configurations: Sequence[str]
) -> list[dict[str, float]]:
    """Whether goapp is scraped with each configuration (`up`), and the share of its queries with an answer (`answered`, %).

    go, process, buckets: how many series of these there are.
    """
    names = {c: f"target-{i}" for i, c in enumerate(dict.fromkeys(configurations))}
    run(metrics, namespace, [pod(name, image, path=CONFIGURATIONS[c][0]) for c, name in names.items()])
    served = names["Go's own"]
    counter = f'http_request_duration_seconds_count{{pod="{served}", namespace="{namespace.name}", route="{PATH}", code="200"}}'
    for counted in (counter, f"rate({counter}[20s]) > 0"):  # a rate needs a sample from before the requests
        for name in names.values():
            app.ask(namespace, name, PATH)
        metrics.until(counted)
    return [_target(metrics, namespace, names[c], CONFIGURATIONS[c][1]) for c in configurations]


def _target(metrics: Metrics, namespace: Namespace, name: str, queries: Sequence[str]) -> dict[str, float]:
    of = f'pod="{name}", namespace="{namespace.name}"'
    answered = [not metrics.query(query).empty for query in queries]
    series = {kind: len(metrics.query(f'{{__name__=~"{names}", {of}}}')) for kind, names in SERIES.items()}
    return {"up": metrics.value(f"up{{{of}}}"), "answered": 100 * float(np.mean(answered)), **series}
