"""Lines that can be found by their words only, or not at all: those with values that fit no field, and those that a shipper gave up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kitlib.cluster import podproxy
from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError
from kitlib.host.stats import quantity

REJECTED = "kit-logs-rejected"  # where Filebeat puts, as text, lines that Elasticsearch accepts in no other way
ONLY_TEXT = "only-text"  # its tag for JSON that has no fields in Elasticsearch
STATS = 5066
CLUSTERS = [
    "kube-system",
    "local-path-storage",
]  # etcd says "status":"SERVING": found like any other, and for no learner to change
TYPES = "cluster/stacks/logs/index-template.json"
Ask = Callable[[str, Any], Any]  # path and body of a search; None when there is no answer


def as_text(ask: Ask, index: str) -> Iterator[str]:
    """A line for each way in which lines were kept as text alone, with how many they are, of which pods, and the next step.

    Those of the cluster's own parts are not counted.
    """
    found = ask(f"{index}/_search", {"size": 0, "aggs": {"ways": {"filters": {"filters": WAYS}, "aggs": MORE}}})
    buckets = (found or {}).get("aggregations", {}).get("ways", {}).get("buckets", {})
    for way, bucket in buckets.items():
        if count := bucket["doc_count"]:
            pods, fields = _keys(bucket["pods"]), _keys(bucket["fields"])
            yield f"{count} lines of {pods or 'unnamed pods'} {SAID[way].format(fields=fields)}"


def given_up(shippers: Namespace) -> Iterator[str]:
    """A line for each shipper that gave lines up since it was started.  shippers: the namespace they run in."""
    for pod in shippers.cluster.kube.list("Pod", shippers.name):
        name = pod["metadata"]["name"]
        if dropped := _dropped(shippers, name):
            yield f"{quantity(dropped, 'lines')} were given up by {name}: kubectl -n {shippers.name} logs {name} says why"


def _dropped(namespace: Namespace, pod: str) -> int:
    try:
        answer = podproxy.request(namespace, pod, STATS, "stats", method="GET", body=None, seconds=5)
    except ClusterError:
        return 0
    events = answer.body.get("libbeat", {}).get("output", {}).get("events", {}) if isinstance(answer.body, dict) else {}
    return int(events.get("dropped", 0))


def _keys(terms: Any) -> str:
    return ", ".join(str(bucket["key"]) for bucket in terms["buckets"])


_rejected = {"term": {"_index": REJECTED}}
_others = [_rejected, {"terms": {"kubernetes.namespace": CLUSTERS}}]
WAYS = {
    "field": {"bool": {"filter": {"exists": {"field": "_ignored"}}, "must_not": _others}},
    "line": {"bool": {"filter": {"term": {"tags": ONLY_TEXT}}, "must_not": _others}},
    "rejected": _rejected,
}
MORE = {
    "pods": {"terms": {"field": "kubernetes.pod.name", "size": 3}},
    "fields": {"terms": {"field": "_ignored", "size": 5}},
}
SAID = {
    "field": "have values that do not fit into {fields}, of another type, too long, or of one field too many, and were kept as text: "
    f"search for their words, or change the type in {TYPES}",
    "line": "have a key without a name, or too many levels, and were kept as text: search for their words",
    "rejected": f"were rejected by Elasticsearch, and kept as text in {REJECTED}: error.message says why there",
}
