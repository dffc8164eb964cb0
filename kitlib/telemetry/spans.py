"""From Jaeger's JSON to rows: the spans of a trace in the order of its tree, one row per trace, calls between services, own times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

COLUMNS = (
    "trace_id",
    "span_id",
    "parent_id",
    "depth",
    "service",
    "pod",
    "name",
    "kind",
    "start",
    "seconds",
    "error",
    "code",
    "attributes",
)
TRACES = ("trace_id", "start", "seconds", "root", "name", "spans", "services", "errors")
LINKS = ("caller", "callee", "calls", "errors")
STATUS = ("http.response.status_code", "http.status_code")  # of OpenTelemetry's conventions, and of those before
Trace = Mapping[str, Any]


def frame(traces: Iterable[Trace]) -> pd.DataFrame:
    """Traces as Jaeger's API has them: one row per span, COLUMNS; those of a trace in the order of its tree.

    start: UTC.  code: the HTTP status, NaN without one.  attributes: of the span and of the process that made it.
    A span whose parent is missing is a root, and keeps the parent's id.
    """
    rows = [row for trace in traces for row in _in_order([_row(span, trace) for span in trace["spans"]])]
    return pd.DataFrame(rows, columns=COLUMNS)


def summaries(spans: pd.DataFrame) -> pd.DataFrame:
    """One row per trace, newest first: TRACES.  seconds: from its first begin to its last end; root: the service that it began in."""
    rows = []
    for trace_id, of in spans.groupby("trace_id", sort=False):
        ends = of["start"] + pd.to_timedelta(of["seconds"], unit="s")
        root = of.iloc[0]
        took = (ends.max() - of["start"].min()).total_seconds()
        counts = (len(of), of["service"].nunique(), int(of["error"].sum()))
        rows.append((trace_id, of["start"].min(), took, root["service"], root["name"], *counts))
    return pd.DataFrame(rows, columns=TRACES).sort_values("start", ascending=False, ignore_index=True)


def failing(spans: pd.DataFrame, service: str, failed: bool, limit: int) -> pd.DataFrame:
    """The spans of the newest traces in which a span of the service failed, or none did."""
    wrong = set(spans[spans["error"] & (spans["service"] == service)]["trace_id"])
    fitting = spans[spans["trace_id"].isin(wrong) == failed]
    newest = fitting.groupby("trace_id")["start"].min().nlargest(limit).index
    return fitting[fitting["trace_id"].isin(newest)].reset_index(drop=True)


def links(spans: pd.DataFrame) -> pd.DataFrame:
    """Calls between services: LINKS, one row per pair of services, from spans whose parent is another service's.  errors: of the callee."""
    service = {(s.trace_id, s.span_id): s.service for s in spans.itertuples()}
    calls = [
        (caller, s.service, 1, int(s.error))
        for s in spans.itertuples()
        if (caller := service.get((s.trace_id, s.parent_id), s.service)) != s.service
    ]
    return pd.DataFrame(calls, columns=LINKS).groupby(["caller", "callee"], as_index=False, sort=False).sum()


def own_seconds(spans: pd.DataFrame) -> pd.Series[float]:
    """Seconds of each span in which none of its children ran, by the frame's index: what it did, or waited for, itself."""
    children: dict[tuple[str, str], list[tuple[float, float]]] = {}
    begins = (spans["start"] - spans["start"].min()).dt.total_seconds()
    ends = begins + spans["seconds"]
    for trace, parent, begin, end in zip(spans["trace_id"], spans["parent_id"], begins, ends, strict=True):
        children.setdefault((trace, parent), []).append((begin, end))
    own = [
        (end - begin) - _covered(children.get((trace, span), []), begin, end)
        for trace, span, begin, end in zip(spans["trace_id"], spans["span_id"], begins, ends, strict=True)
    ]
    return pd.Series(own, index=spans.index, dtype=float)


def skewed(spans: pd.DataFrame, more: float) -> pd.DataFrame:
    """Spans that begin before their parent, or end after it, by more than so many seconds: service, parent (service), seconds.

    One clock cannot do that to a call that is waited for; two clocks that disagree do.
    """
    by_id = {(s.trace_id, s.span_id): s for s in spans.itertuples()}
    rows = []
    for child in spans.itertuples():
        parent = by_id.get((child.trace_id, child.parent_id))
        if parent is None:
            continue
        early = (parent.start - child.start).total_seconds()
        late = child.seconds - early - parent.seconds
        if max(early, late) > more:
            rows.append((child.service, parent.service, max(early, late)))
    return pd.DataFrame(rows, columns=["service", "parent", "seconds"])


def _row(span: Trace, trace: Trace) -> dict[str, Any]:
    process = trace["processes"][span["processID"]]
    attributes = {**_tags(process), **_tags(span)}
    return {
        "trace_id": span["traceID"],
        "span_id": span["spanID"],
        "parent_id": next((r["spanID"] for r in span.get("references", []) if r["refType"] == "CHILD_OF"), ""),
        "depth": 0,
        "service": process["serviceName"],
        "pod": attributes.get("k8s.pod.name", ""),
        "name": span["operationName"],
        "kind": attributes.get("span.kind", "internal"),
        "start": pd.Timestamp(span["startTime"], unit="us", tz="UTC"),
        "seconds": span["duration"] / 1e6,
        "error": attributes.get("error", False) in (True, "true"),
        "code": next((float(attributes[name]) for name in STATUS if name in attributes), float("nan")),
        "attributes": attributes,
    }


def _tags(of: Trace) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in of.get("tags") or []}


def _in_order(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    here = {row["span_id"] for row in rows}
    below: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["start"]):
        below.setdefault(row["parent_id"] if row["parent_id"] in here else "", []).append(row)

    def walk(parent: str, depth: int) -> Iterator[dict[str, Any]]:
        for row in below.get(parent, []):
            yield {**row, "depth": depth}
            yield from walk(row["span_id"], depth + 1)

    return walk("", 0)


def _covered(intervals: list[tuple[float, float]], low: float, high: float) -> float:
    """Seconds between low and high in which any of the intervals runs."""
    total, reached = 0.0, low
    for begin, end in sorted(intervals):
        total += max(0.0, min(end, high) - max(begin, reached))
        reached = max(reached, end)
    return total
