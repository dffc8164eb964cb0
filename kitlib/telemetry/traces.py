"""Traces in Jaeger: one by its id, many by their attributes, the calls between services; and diagnosis when a trace is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from kitlib.cluster import podproxy
from kitlib.cluster.bound import Namespace
from kitlib.errors import ApiError, ClusterError
from kitlib.host.stats import quantity
from kitlib.kube.connection import Answer
from kitlib.telemetry import exposition, pods, polling, spans

POD, PORT = "jaeger-0", 16686
COLLECTOR, OWN_METRICS, SPAN_METRICS = "collector-0", 8888, 8889
SECONDS = 30
RECENT = pd.Timedelta(minutes=15)
SKEW = 0.05  # seconds by which two clocks may disagree
SCANNED = 500  # traces
FULL = 0.9  # of the collector's queue
NOT_FOUND = 404
LOG = "`kubectl -n {} logs jaeger-0` shows its log"


@dataclass(frozen=True)
class Traces:
    """Jaeger, and the collector before it.  namespace: the one they run in."""

    namespace: Namespace

    def ask(self, path: str, *, seconds: float = SECONDS, **words: Any) -> Any:
        """One question to Jaeger's query API, `path` below /api/; the `data` of its answer, None for what is not there.

        Raises ClusterError in Jaeger's words, or when it does not answer within `seconds`.
        """
        answer = self._get(POD, PORT, f"api/{path}?{urlencode(words)}", seconds)
        if answer.status == NOT_FOUND:
            return None
        if answer.status >= 400:
            raise ClusterError(f"{path}: {_said(answer)}", observed=self.troubles())
        return answer.body["data"]

    def spans(self, trace_id: str) -> pd.DataFrame:
        """The spans of one trace, one row per span, parents before their children; empty when Jaeger does not have it.

        trace_id, span_id, parent_id, depth, service, pod, name, kind, start (UTC), seconds, error, code (HTTP status or NaN),
        attributes (of span and process).
        """
        return spans.frame(self.ask(f"traces/{trace_id}") or [])

    def search(
        self,
        service: str,
        *,
        operation: str = "",
        attributes: Mapping[str, Any] | None = None,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
        least: float = 0.0,
        limit: int = 20,
    ) -> pd.DataFrame:
        """Traces with a span of the service that fits, one row per trace, newest first.

        attributes: exact values of the span's attributes; {"error": True} for failed ones, which are looked for among the newest SCANNED.
        since, until: UTC, by default the last quarter of an hour.  least: seconds that the span took.  limit: traces at most.

        trace_id, start (UTC), seconds, root (service), name (of the root's span), spans, services, errors.
        """
        return spans.summaries(self.found(service, operation, attributes or {}, since, until, least, limit))

    def found(
        self,
        service: str,
        operation: str = "",
        attributes: Mapping[str, Any] | None = None,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
        least: float = 0.0,
        limit: int = 200,
    ) -> pd.DataFrame:
        """The spans of all traces that `search` finds, in the columns of `spans`."""
        now, wanted = pd.Timestamp.now("UTC"), dict(attributes or {})
        failed = wanted.pop("error", None)  # in memory, Jaeger 2.13 compares it with a text, and finds nothing
        tags = {key: value if isinstance(value, str) else json.dumps(value) for key, value in wanted.items()}
        words: dict[str, Any] = {
            "service": service,
            "operation": operation,
            "tags": json.dumps(tags) if tags else "",
            "start": _microseconds(since or now - RECENT),
            "end": _microseconds(until or now + RECENT),
            "minDuration": f"{round(least * 1e6)}us" if least else "",
            "limit": limit if failed is None else max(limit, SCANNED),
        }
        found = spans.frame(self.ask("traces", **{key: value for key, value in words.items() if value != ""}) or [])
        return found if failed is None else spans.failing(found, service, bool(failed), limit)

    def until(self, trace_id: str, spans: int = 1, seconds: float = 15) -> pd.DataFrame:
        """Ask until a trace has `spans` spans; returns them in the columns of `spans`.  Raises WaitTimeout with what is wrong."""
        return self._awaited(lambda: self.spans(trace_id), f"trace {trace_id}", spans, seconds)

    def newest(self, service: str, since: pd.Timestamp, spans: int = 1, seconds: float = 15) -> pd.DataFrame:
        """Ask until a trace of this service that began since then has so many spans; returns these.  Raises WaitTimeout."""

        def look() -> pd.DataFrame:
            found = self.search(service, since=since, limit=1)
            return self.spans(found["trace_id"].iloc[0]) if len(found) else found

        return self._awaited(look, f"the newest trace of {service}", spans, seconds)

    def services(self) -> list[str]:
        """Those that have sent a span, by their names."""
        return sorted(self.ask("services") or [])

    def links(self, of: pd.DataFrame | str, since: pd.Timestamp | None = None) -> pd.DataFrame:
        """Calls between services: caller, callee, calls, errors.  of: spans, or a service whose newest traces are looked at.

        Computed from spans: Jaeger's own list of dependencies is empty when its storage is Elasticsearch.
        """
        return spans.links(self.found(of, since=since) if isinstance(of, str) else of)

    def counts(self) -> dict[str, float]:
        """The collector's own counters since it started, by their names; summed over labels."""
        return exposition.totals(self._get(COLLECTOR, OWN_METRICS, "metrics", SECONDS).body)

    def calls(self) -> pd.DataFrame:
        """The collector's counters of spans for Prometheus, sampled or not: service, name, kind, error, calls.

        The counts are updated every five seconds.
        """
        found = exposition.samples(self._get(COLLECTOR, SPAN_METRICS, "metrics", SECONDS).body)
        rows = [
            (at["service_name"], at["span_name"], kind, at["status_code"] == "STATUS_CODE_ERROR", value)
            for name, at, value in found.itertuples(index=False)
            if name == "traces_calls_total"
            for kind in [at["span_kind"].removeprefix("SPAN_KIND_").lower()]
        ]
        return pd.DataFrame(rows, columns=["service", "name", "kind", "error", "calls"])

    def troubles(self) -> list[str]:
        """What is wrong with the stack and with the spans sent to it, one line per problem with the next step; [] when nothing is."""
        found = pods.troubles(self.namespace.cluster, (self.namespace.name,))
        return [*found, *self._collector(), *([] if found else self._jaeger())]

    def _collector(self) -> Iterable[str]:
        try:
            said = self.counts()
        except ClusterError:
            return
        waiting, room = (said.get(f"otelcol_exporter_queue_{what}", 0.0) for what in ("size", "capacity"))
        if waiting >= FULL * room > 0:
            yield f"the collector's queue is full, {waiting:g} of {room:g} batches: does Jaeger answer, and is it fast enough?"
        for count, told in DROPPED.items():
            if lost := sum(value for name, value in said.items() if name.startswith(count)):
                yield f"{quantity(lost, '')} spans {told}"

    def _jaeger(self) -> Iterable[str]:
        try:
            answer = self._get(POD, PORT, "api/services", 5)
        except ClusterError:
            return [f"Jaeger does not answer: {LOG.format(self.namespace.name)}"]
        if answer.status >= 400:
            return [f"Jaeger cannot ask its store, {_said(answer)}: {LOG.format(self.namespace.name)}"]
        services = answer.body["data"] or []
        return [line for service in services for line in self._skew(service)]

    def _skew(self, service: str) -> Iterable[str]:
        found = spans.skewed(self.found(service, limit=20), SKEW)
        for (child, parent), off in found[found["service"] == service].groupby(["service", "parent"])["seconds"]:
            yield (
                f"spans of {child} lie outside of their parents' of {parent}, by up to {quantity(off.max(), 's')}: "
                "do the nodes' clocks agree? does it answer before it is done?"
            )

    def _awaited(self, look: Callable[[], pd.DataFrame], what: str, spans: int, seconds: float) -> pd.DataFrame:
        def found_so_far() -> pd.DataFrame:
            try:
                return look()
            except ClusterError:  # Elasticsearch refuses to search an index that is just being made
                return pd.DataFrame()

        return polling.until(
            found_so_far,
            lambda found: len(found) >= spans,
            failure=lambda found: f"{what} has {len(found)} spans, not {spans},",
            seconds=seconds,
            observed=self.troubles,
            hint="does the program have an endpoint, and is the trace sampled? see cluster/components/traced",
        )

    def _get(self, pod: str, port: int, path: str, seconds: float) -> Answer:
        try:
            return podproxy.request(self.namespace, pod, port, path, method="GET", body=None, seconds=seconds)
        except ApiError as e:
            observed = pods.troubles(self.namespace.cluster, (self.namespace.name,))
            raise ClusterError(
                e.message, observed=observed, hint="is the stack installed? ./kit stacks install traces"
            ) from e


DROPPED = {  # the beginning of a collector counter's name, and the counter's meaning
    "otelcol_exporter_enqueue_failed_spans": "were dropped, the collector's queue was full: does Jaeger answer? a longer queue buys time",
    "otelcol_exporter_send_failed_spans": "were dropped, Jaeger did not take them in time: look at its log, then at the collector's",
    "otelcol_receiver_refused_spans": "were refused, the collector had no memory left: raise its limit in cluster/stacks/traces",
}


def _said(answer: Answer) -> str:
    """Why Jaeger refuses, in its own words."""
    body = answer.body
    return str(body["errors"][0]["msg"] if isinstance(body, dict) and body.get("errors") else body).strip()


def _microseconds(moment: pd.Timestamp) -> int:
    return int(moment.timestamp() * 1e6)
