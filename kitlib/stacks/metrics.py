"""The stack of the metrics: Prometheus with what it needs, an exporter on every node, and metrics-server (cluster/stacks/metrics*)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.stacks import base
from kitlib.telemetry.metrics import Metrics

STORE = base.Stack("metrics", images=("prometheus", "alertmanager", "receiver", "kube-state-metrics"))
NODES = base.Stack("metrics-nodes", images=("node-exporter",))
USAGE = base.Stack("metrics-server", images=("metrics-server",))
STACKS = (STORE, NODES, USAGE)
JOBS = ("prometheus", "alertmanager", "kube-state-metrics", "node-exporter", "cadvisor")


def install(cluster: Cluster) -> Metrics:
    """Install all three and wait until they are ready and each of their targets was scraped once; existing parts are kept.

    Raises what `base.install` does.
    """
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda stack: base.install(cluster, stack), STACKS))
    metrics = find(cluster)
    assert metrics is not None  # it was installed just now
    metrics.until(f"count(count by (job) (up{{job=~'{'|'.join(JOBS)}'}} == 1)) == {len(JOBS)}")
    return metrics


def find(cluster: Cluster) -> Metrics | None:
    """The metrics if the stack was installed."""
    namespace = base.find(cluster, STORE)
    return Metrics(namespace) if namespace else None


def remove(cluster: Cluster, *beside: Namespace) -> None:
    """Remove all three with every sample; returns when they are gone.  beside: namespaces that are removed at the same time.

    The API that metrics-server serves is removed first: without its pods, no namespace of the cluster could be deleted.
    """
    base.unregister(cluster, USAGE)
    base.remove_all(cluster, STACKS, beside)
