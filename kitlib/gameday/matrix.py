"""The fields that each service must have in each signal about one request: checked, and shown as a table.

One row per field: service, signal, field, value (as text, "" when it is missing), there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.stacks.signals import Signals
from kitlib.telemetry import polling
from kitlib.telemetry.logs import Logs, Query, matching
from kitlib.telemetry.metrics import Metrics
from kitlib.workloads import app

LOGS = {
    "service": "app.service",
    "level": "app.level",
    "trace_id": "app.trace_id",
    "path": "app.path",
    "status": "app.status",
    "seconds": "app.seconds",
    "pod": "kubernetes.pod.name",
}
LABELS = ("namespace", "app", "pod", "method", "route", "code")
METRICS = (*LABELS, "trace_id")
ATTRIBUTES = ("http.request.method", "http.route", "http.response.status_code", "k8s.pod.name")
TRACES = ("service.name", "parent", *ATTRIBUTES)
COLUMNS = ("service", "signal", "field", "value", "there")
HISTOGRAM = "http_request_duration_seconds_bucket"
SECONDS = 20
WINDOW = pd.Timedelta(minutes=15)
ENTRY = next(iter(app.CHAIN))  # the service that is called from outside, whose span has no parent


def of(trace_id: str, namespace: str, signals: Signals) -> pd.DataFrame:
    """Every field that each service of the chain must have about one request, as the three stores have it: COLUMNS."""
    spans = signals.traces.spans(trace_id)
    rows = [
        (service, signal, field, value)
        for service in app.CHAIN
        for signal, fields in (
            ("logs", _logged(signals.logs, service, trace_id, namespace)),
            ("metrics", _counted(signals.metrics, service, trace_id, namespace)),
            ("traces", _spanned(spans, service)),
        )
        for field, value in fields
    ]
    return pd.DataFrame([(*row, row[-1] != "") for row in rows], columns=COLUMNS)


def request(namespace: Namespace, signals: Signals) -> str:
    """Send one request to a chain; returns its trace's id, once all three stores have it from every service.  Raises WaitTimeout."""
    entry = app.pods(namespace, ENTRY)[0]["metadata"]["name"]
    sent = pd.Timestamp.now("UTC")
    app.ask(namespace, entry, "/items")
    mine = matching(pod=entry, app__path="/items", since=sent)
    trace_id = str(_lines(signals.logs, mine, 1)["trace_id"].iloc[0])
    _lines(signals.logs, matching(trace_id=trace_id), len(app.CHAIN))
    signals.traces.until(trace_id, spans=2 * len(app.CHAIN) - 1)
    count = f'sum(http_request_duration_seconds_count{{namespace="{namespace.name}", route="/items"}})'
    signals.metrics.until(f"{count} >= {len(app.CHAIN)}")
    return trace_id


def _lines(logs: Logs, query: Query, count: int) -> pd.DataFrame:
    """At least `count` lines, once they can be found."""
    return polling.until(
        lambda: logs.search(query, fields=LOGS),
        lambda found: len(found) >= count,
        failure=lambda found: f"{len(found)} of {count} lines of a request have arrived",
        seconds=SECONDS,
        observed=logs.troubles,
    )


def wide(matrix: pd.DataFrame) -> pd.DataFrame:
    """The same for reading: one row per signal and field, one column per service; ✗ where a value is missing."""
    shown = matrix.assign(value=matrix["value"].where(matrix["there"], "✗"))
    return shown.pivot_table(index=["signal", "field"], columns="service", values="value", aggfunc="first", sort=False)


def _logged(logs: Logs, service: str, trace_id: str, namespace: str) -> Iterator[tuple[str, str]]:
    """Of the line that says how long the request took."""
    query = matching(trace_id=trace_id, namespace=namespace, app__service=service)
    query["bool"]["filter"].append({"exists": {"field": LOGS["seconds"]}})
    found = logs.search(query, size=1, fields=LOGS)
    yield from _fields(found.iloc[0].to_dict() if len(found) else {}, LOGS)


def _counted(metrics: Metrics, service: str, trace_id: str, namespace: str) -> Iterator[tuple[str, str]]:
    """Of the series that counts the request, by its exemplar."""
    now = pd.Timestamp.now("UTC")
    found = metrics.exemplars(f'{HISTOGRAM}{{namespace="{namespace}", app="{service}"}}', now - WINDOW, now)
    mine = found[found["trace_id"] == trace_id]
    yield from _fields(mine.iloc[0].to_dict() if len(mine) else {}, METRICS)


def _spanned(spans: pd.DataFrame, service: str) -> Iterator[tuple[str, str]]:
    """Of the span of the request that was served; a span without a parent has the value `none`."""
    served = spans[(spans["service"] == service) & (spans["kind"] == "server")]
    if served.empty:
        yield from _fields({}, TRACES)
        return
    span = served.iloc[0]
    parents = spans[spans["span_id"] == span["parent_id"]]["service"]
    parent = parents.iloc[0] if len(parents) else "none" if service == ENTRY and not span["parent_id"] else ""
    yield from _fields({"service.name": span["service"], "parent": parent, **span["attributes"]}, TRACES)


def _fields(found: dict[str, Any], names: Any) -> Iterator[tuple[str, str]]:
    for name in names:
        value = found.get(name)
        yield name, "" if value is None or pd.isna(value) else str(value)
