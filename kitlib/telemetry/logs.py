"""The lines of containers in Elasticsearch: searching and counting them, and diagnosis when a line is missing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from kitlib.cluster import podproxy
from kitlib.cluster.bound import Namespace
from kitlib.errors import ApiError, ClusterError
from kitlib.telemetry import misfits, pods, polling, watermarks

INDEX = "kit-logs-*"
POD, PORT = "elasticsearch-0", 9200
SHIPPERS = "kit-logs-nodes"
SECONDS = 60
UNAVAILABLE = 503
BEING_MADE, PAUSE = (
    15,
    0.2,
)  # seconds: an index that is just being made cannot be searched yet; one that stays so is an error
SEARCHABLE = f"_cluster/health/{INDEX}?wait_for_status=yellow&wait_for_no_initializing_shards=true&timeout=4s"
SKEW = 5  # seconds that a line may be ahead of this machine's clock before that is called wrong
BULK = "_bulk?filter_path=errors,items.*.error"  # only failures are reported
NEWEST = [{"@timestamp": "desc"}, {"log.offset": "desc"}]  # lines of one millisecond, by their place in the file
READS = re.compile(r"/_(search|count)\b")
COLUMNS = {  # of a frame of lines: field of a document
    "time": "@timestamp",
    "namespace": "kubernetes.namespace",
    "pod": "kubernetes.pod.name",
    "container": "kubernetes.container.name",
    "level": "app.level",
    "service": "app.service",
    "trace_id": "app.trace_id",
    "message": "message",
}
Query = dict[str, Any]


@dataclass(frozen=True)
class Logs:
    """The log store.  namespace: the one it runs in."""

    namespace: Namespace

    def ask(self, method: str, path: str, body: Any = None, *, seconds: float = SECONDS) -> Any:
        """One request to Elasticsearch's API; the answer's JSON.  body: JSON, or bytes of lines of JSON (for `_bulk`).

        A search goes into the address (`source`), not into a body: the API server's proxy can break a long answer off that
        begins before it has seen the end of the body (`use of closed network connection` in its log).

        A request that is unavailable at first is repeated.  Raises ClusterError with Elasticsearch's message, or when it does not answer
        within `seconds`.
        """
        if READS.search(path) and body is not None:
            method, path, body = "GET", _with_source(path, body), None
        send = partial(podproxy.request, self.namespace, POD, PORT, path, method=method, body=body, seconds=seconds)
        try:
            deadline = time.monotonic() + BEING_MADE
            while (answer := send()).status == UNAVAILABLE and time.monotonic() < deadline:
                self._quietly(SEARCHABLE)
                time.sleep(polling.LOOK)
        except ApiError as e:
            raise ClusterError(
                e.message, observed=self.troubles(), hint="is the stack installed? ./kit stacks install logs"
            ) from e
        if answer.status >= 400:
            raise ClusterError(f"{method} {path.partition('?')[0]}: {_reason(answer.body)}", observed=self.troubles())
        return answer.body

    def search(
        self, query: Query | None = None, *, size: int = 100, fields: Mapping[str, str] = COLUMNS
    ) -> pd.DataFrame:
        """The newest lines that match, newest first, one row per line.  fields: column → field of the document, missing ones None.

        time is UTC.  `matching` makes queries.  Raises ClusterError.
        """
        body = {"query": query or matching(), "size": size, "sort": NEWEST}
        found = self.ask("POST", f"{INDEX}/_search", body)["hits"]["hits"]
        rows = [{column: _value(hit["_source"], field) for column, field in fields.items()} for hit in found]
        frame = pd.DataFrame(rows, columns=list(fields))
        return frame.assign(time=pd.to_datetime(frame["time"], utc=True)) if "time" in fields else frame

    def count(self, query: Query | None = None) -> int:
        """How many lines match, those included that a search does not show yet: the index is refreshed first."""
        self.ask("POST", f"{INDEX}/_refresh")
        return int(self.ask("POST", f"{INDEX}/_count", {"query": query or matching()})["count"])

    def terms(self, field: str, query: Query | None = None, size: int = 20) -> dict[str, int]:
        """The commonest values of a field, with how many lines have each."""
        body = {"size": 0, "query": query or matching(), "aggs": {"values": {"terms": {"field": field, "size": size}}}}
        buckets = (
            self.ask("POST", f"{INDEX}/_search", body).get("aggregations", {}).get("values", {}).get("buckets", [])
        )
        return {str(b["key"]): int(b["doc_count"]) for b in buckets}

    def histogram(self, query: Query | None = None, *, seconds: int = 15) -> pd.DataFrame:
        """Lines over time: time (UTC, the interval's begin), level, lines.  seconds: the interval; without lines there is no row."""
        over = {"date_histogram": {"field": "@timestamp", "fixed_interval": f"{seconds}s", "min_doc_count": 1}}
        levels = {"aggs": {"levels": {"terms": {"field": "app.level", "missing": "none"}}}}
        body = {"size": 0, "query": query or matching(), "aggs": {"time": {**over, **levels}}}
        found = self.ask("POST", f"{INDEX}/_search", body).get("aggregations", {}).get("time", {}).get("buckets", [])
        rows = [
            {"time": pd.Timestamp(b["key"], unit="ms", tz="UTC"), "level": level["key"], "lines": level["doc_count"]}
            for b in found
            for level in b["levels"]["buckets"]
        ]
        return pd.DataFrame(rows, columns=["time", "level", "lines"])

    def indices(self) -> pd.DataFrame:
        """The daily indices: index, documents, size (bytes), oldest first."""
        found = self.ask("GET", f"_cat/indices/{INDEX}?format=json&bytes=b&s=index")
        rows = [(i["index"], int(i["docs.count"] or 0), int(i["store.size"] or 0)) for i in found]
        return pd.DataFrame(rows, columns=["index", "documents", "size"])

    def delete(self, query: Query) -> int:
        """Delete the lines that match, one by one; returns how many there were."""
        gone = 0
        while self.count(query):
            hits = self.ask("POST", f"{INDEX}/_search", {"query": query, "size": 1000, "_source": False})["hits"][
                "hits"
            ]
            orders = (json.dumps({"delete": {"_index": hit["_index"], "_id": hit["_id"]}}) + "\n" for hit in hits)
            self.ask("POST", BULK, "".join(orders).encode())
            gone += len(hits)
        return gone

    def settings(self, **index: Any) -> None:
        """Change settings of all indices of logs, such as refresh_interval="200ms"; None puts the template's back."""
        self.ask("PUT", f"{INDEX}/_settings", {"index": index})

    def troubles(self) -> list[str]:
        """What is wrong with store and shippers, one line per problem with the next step; [] when nothing is."""
        found = pods.troubles(self.namespace.cluster, (self.namespace.name, SHIPPERS))
        return found or [*self._health(), *self._disk(), *self._blocks(), *self._skew(), *self._misfits()]

    def _health(self) -> list[str]:
        answer = self._quietly("_cluster/health")
        if answer is None:
            return [f"Elasticsearch does not answer: `kubectl -n {self.namespace.name} logs {POD}` shows its log"]
        if answer["status"] != "red":
            return []
        return ["Elasticsearch is red, a shard has no place: logs.ask('GET', '_cluster/allocation/explain') says why"]

    def _disk(self) -> list[str]:
        """A disk with less room than the running store leaves, which it says of itself."""
        said = self._quietly("_cluster/settings?include_defaults=true&flat_settings=true") or {}
        marks = watermarks.of({**said.get("defaults", {}), **said.get("persistent", {}), **said.get("transient", {})})
        disks = {
            node["name"]: node["fs"]["total"]
            for node in (self._quietly("_nodes/stats/fs") or {}).get("nodes", {}).values()
        }
        found = {
            name: watermarks.passed(d["available_in_bytes"], d["total_in_bytes"], marks) for name, d in disks.items()
        }
        step = "free the disk, or delete old indices (logs.retain(days))"
        return [f"the disk of {name} has {mark}: {step}" for name, mark in found.items() if mark]

    def _blocks(self) -> list[str]:
        """Past the flood-stage watermark, Elasticsearch makes every index read-only, and lifts that when there is room again."""
        found = self._quietly(f"{INDEX}/_settings/index.blocks.*") or {}
        blocked = sorted(name for name, said in found.items() if said["settings"].get("index", {}).get("blocks"))
        step = (
            "delete old indices (logs.retain(days)) or free the disk; Elasticsearch lifts the block when there is room"
        )
        return [f"{', '.join(blocked)} cannot be written to, as on a full disk: {step}"] if blocked else []

    def _skew(self) -> list[str]:
        """Lines of the future: the clock of the node that they come from is ahead, and `since` and `until` miss them."""
        ahead = matching(since=pd.Timestamp.now("UTC") + pd.Timedelta(seconds=SKEW))
        body = {"size": 0, "query": ahead, "aggs": {"nodes": {"terms": {"field": "kubernetes.node.name"}}}}
        found = self._quietly(_with_source(f"{INDEX}/_search", body)) or {}
        nodes = found.get("aggregations", {}).get("nodes", {}).get("buckets", [])
        step = (
            "compare `date` there and here, and set the clock by NTP; lines keep the time that they were written with"
        )
        return [f"{n['doc_count']} lines of {n['key']} are from the future, its clock is ahead: {step}" for n in nodes]

    def _misfits(self) -> list[str]:
        """Lines that were kept as text alone, and lines that a shipper gave up."""
        there = Namespace.find(self.namespace.cluster, SHIPPERS.removeprefix("kit-"))
        kept = misfits.as_text(lambda path, body: self._quietly(_with_source(path, body)), INDEX)
        return [*kept, *(misfits.given_up(there) if there else ())]

    def _quietly(self, path: str) -> Any:
        try:
            answer = podproxy.request(self.namespace, POD, PORT, path, method="GET", body=None, seconds=5)
        except ClusterError:
            return None
        return answer.body if answer.status < 400 else None

    def retain(self, days: int, *, today: pd.Timestamp | None = None) -> list[str]:
        """Delete the daily indices that are older than so many days; returns their names.  today: UTC, default now."""
        oldest = (today or pd.Timestamp.now("UTC")).normalize() - pd.Timedelta(days=days)
        old = [name for name in self.indices()["index"] if day(name) < oldest]
        for name in old:
            self.ask("DELETE", name)
        rejected: Query = {"term": {"_index": misfits.REJECTED}}  # of all days
        self.delete({"bool": {"filter": [rejected, {"range": {"@timestamp": {"lt": oldest.isoformat()}}}]}})
        return old


def matching(
    text: str = "",
    *,
    namespace: str = "",
    pod: str = "",
    level: str = "",
    trace_id: str = "",
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
    **fields: Any,
) -> Query:
    """An Elasticsearch query: all given conditions must hold.

    text: words in the line, in Lucene's simple syntax.  fields: exact values of other fields, dots written as two underscores
    (app__n=1).
    """
    exact = {
        "kubernetes.namespace": namespace,
        "kubernetes.pod.name": pod,
        "app.level": level,
        "app.trace_id": trace_id,
        **{name.replace("__", "."): value for name, value in fields.items()},
    }
    filters: list[Query] = [{"term": {field: value}} for field, value in exact.items() if value not in ("", None)]
    span = {op: t.isoformat() for op, t in (("gte", since), ("lt", until)) if t is not None}
    filters += [{"range": {"@timestamp": span}}] if span else []
    words = {"simple_query_string": {"query": text, "fields": ["message"], "default_operator": "and"}}
    return {"bool": {"filter": filters, "must": [words] if text else []}}


def lines(documents: Iterable[Mapping[str, Any]], index: str) -> bytes:
    """Documents as `_bulk` takes them."""
    head = json.dumps({"index": {"_index": index}})
    return "".join(f"{head}\n{json.dumps(document)}\n" for document in documents).encode()


def day(index: str) -> pd.Timestamp:
    """The day of a daily index, midnight UTC; NaT for an index of all days."""
    return pd.to_datetime(index.rpartition("-")[2], format="%Y.%m.%d", errors="coerce", utc=True)


def _with_source(path: str, body: Any) -> str:
    words = urlencode({"source": json.dumps(body), "source_content_type": "application/json"})
    return f"{path}{'&' if '?' in path else '?'}{words}"


def _value(document: Any, field: str) -> Any:
    for part in field.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _reason(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else body
    return str(error.get("reason") or error.get("type")) if isinstance(error, dict) else str(error)
