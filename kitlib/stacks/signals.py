"""All three signals at once: the stacks of the metrics, the logs and the traces, installed and removed side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.stacks import base, logs, metrics, traces
from kitlib.telemetry.logs import Logs
from kitlib.telemetry.metrics import Metrics
from kitlib.telemetry.traces import Traces

STACKS = (*metrics.STACKS, logs.STORE, logs.SHIPPER, traces.MEMORY)


@dataclass(frozen=True)
class Signals:
    """The clients of all three."""

    metrics: Metrics
    logs: Logs
    traces: Traces


def install(cluster: Cluster) -> Signals:
    """Install all three and wait until they are ready; existing parts are kept.  Raises what `base.install` does."""
    with ThreadPoolExecutor() as pool:
        lines = pool.submit(logs.install, cluster)  # the slowest first
        store, spans = pool.submit(metrics.install, cluster), pool.submit(traces.install, cluster)
    return Signals(store.result(), lines.result(), spans.result())


def find(cluster: Cluster) -> Signals | None:
    """All three if they were installed."""
    found = metrics.find(cluster), logs.find(cluster), traces.find(cluster)
    store, lines, spans = found
    return Signals(store, lines, spans) if store and lines and spans else None


def remove(cluster: Cluster, *beside: Namespace) -> None:
    """Remove all three with everything that they stored; returns when they are gone.  beside: namespaces that are removed at the same time.

    Jaeger's spans in Elasticsearch are removed with that.
    """
    with ThreadPoolExecutor() as pool:
        going = [
            pool.submit(metrics.remove, cluster, *beside),
            pool.submit(logs.remove, cluster),
            pool.submit(base.remove, cluster, traces.MEMORY),
        ]
    for gone in going:
        gone.result()


def footprint(cluster: Cluster) -> pd.DataFrame:
    """The resources of the stacks, one row per container: stack, component, image, image_mb, request_mib, limit_mib."""
    return pd.concat([base.footprint(cluster, it).assign(stack=it.name) for it in STACKS], ignore_index=True)[
        ["stack", "component", "image", "image_mb", "request_mib", "limit_mib"]
    ]
