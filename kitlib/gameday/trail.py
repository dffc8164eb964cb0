"""From an alert to the service at fault, by the signals alone: exemplar, trace, log lines.

An alert that is about requests has exemplars, by its annotation `exemplars`; each names a trace, and the trace's id is in log lines.
Where no request can show the cause, the alert's own labels name a pod, a target or a Service, and the trail ends there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from kitlib.host.stats import quantity
from kitlib.stacks.signals import Signals
from kitlib.telemetry import logs as telemetry
from kitlib.telemetry.logs import Logs, matching
from kitlib.telemetry.metrics import Metrics
from kitlib.telemetry.spans import own_seconds

BEFORE = pd.Timedelta(seconds=30)  # how far an alert's expression looks back
SPANS = ("service", "pod", "kind", "name", "seconds", "code", "error")
LINES = ("time", "pod", "level", "said", "status", "error")
NEWEST = 5  # lines of a pod
FIELDS = {
    "time": "@timestamp",
    "pod": "kubernetes.pod.name",
    "level": "app.level",
    "said": "app.msg",
    "status": "app.status",
    "error": "app.error",
    "message": "message",
}


@dataclass(frozen=True)
class Trail:
    """A followed trail.  alert: a row of `Metrics.deliveries`; request: of `exemplars`, None without one; spans and lines of its trace,
    or the pod's newest lines; service: where it leads; because: the last step of it, in words.
    """

    alert: pd.Series
    request: pd.Series | None
    spans: pd.DataFrame
    lines: pd.DataFrame
    service: str
    because: str

    def steps(self) -> list[tuple[str, str]]:
        """The steps of the trail: what was looked at, and what it showed."""
        request = (
            "the alert has no exemplars: no request shows the cause"
            if self.request is None
            else f"trace {self.request['trace_id']}, {quantity(self.request['value'], 's')}"
        )
        return [
            ("alert", f"{self.alert['alert']}: {self.alert['summary']}"),
            ("exemplar", request),
            ("trace", f"{len(self.spans)} spans of {', '.join(dict.fromkeys(self.spans['service'])) or 'nobody'}"),
            ("log lines", f"{len(self.lines)}"),
            ("leads to", f"{self.service}: {self.because}"),
        ]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": str(self)}

    def __str__(self) -> str:
        parts = [f"{name + ':':11}{said}" for name, said in self.steps()]
        return "\n\n".join(
            ["\n".join(parts), *(table.to_string(index=False, max_colwidth=90) for table in self._tables())]
        )

    def _html(self) -> str:
        steps = "".join(f"<li><strong>{name}</strong>: {escape(said)}</li>" for name, said in self.steps())
        return f"<ol>{steps}</ol>" + "".join(table.to_html(index=False, border=0) for table in self._tables())

    def _tables(self) -> list[pd.DataFrame]:
        tables = (self.spans[list(SPANS)], self.lines)
        return [table for table in tables if len(table)]


def follow(alert: pd.Series, signals: Signals) -> Trail:
    """Follow an alert, a row of `Metrics.deliveries`, to the service at fault.  Raises WaitTimeout when a trace does not arrive."""
    request = slowest(alert, signals.metrics)
    if request is None:
        pod = alert["pod"]
        lines = written(signals.logs, _said(pod, alert["namespace"]), NEWEST) if pod else _nothing(LINES)
        return Trail(alert, None, _nothing(SPANS), lines, *_named(alert))
    spans = signals.traces.until(request["trace_id"])
    known = _known(signals.metrics, alert["namespace"])
    lines = written(signals.logs, matching(trace_id=request["trace_id"]))
    return Trail(alert, request, spans, lines, *culprit(spans, known))


def written(logs: Logs, query: telemetry.Query, size: int = 100) -> pd.DataFrame:
    """The newest lines that match, oldest first, as LINES: the message is `msg` of a line of JSON, and the whole of any other line."""
    found = logs.search(query, size=size, fields=FIELDS).iloc[::-1]
    status = found["status"].map(lambda code: "" if pd.isna(code) else f"{code:.0f}")
    shown = found.assign(said=found["said"].fillna(found["message"]), status=status)
    return shown.fillna({"level": "", "error": ""})[list(LINES)].reset_index(drop=True)


def slowest(alert: pd.Series, metrics: Metrics) -> pd.Series | None:
    """Of the requests that an alert is about, the one that took longest; None when there is no exemplar."""
    if not alert["exemplars"]:
        return None
    found = metrics.exemplars(alert["exemplars"], alert["starts"] - BEFORE, alert["received"])
    return None if found.empty else found.loc[found["value"].idxmax()]


def culprit(spans: pd.DataFrame, known: Callable[[str], bool]) -> tuple[str, str]:
    """The service in which a trace goes wrong, and why it is that one.  known: whether there is a Service of that name.

    With errors: the deepest span that has one.  If that is a call: the called service, when it has a span of its own or at least exists;
    else the caller, which asks for something that does not exist.  Without errors: the span with the most time of its own.
    """
    failed = spans[spans["error"]]
    if failed.empty:
        own = own_seconds(spans)
        slow = spans.loc[own.idxmax()]
        return slow[
            "service"
        ], f"{quantity(own.max(), 's')} of {quantity(spans['seconds'].max(), 's')} pass in its own span"
    deepest = failed.loc[failed["depth"].idxmax()]
    if deepest["kind"] != "client":
        return deepest["service"], "the deepest span with an error is its own"
    called = spans[spans["parent_id"] == deepest["span_id"]]
    if len(called):
        return called["service"].iloc[
            0
        ], f"{deepest['service']} gave up on it after {quantity(deepest['seconds'], 's')}"
    address = str(deepest["attributes"].get("server.address", ""))
    if known(address):
        return address, f"{deepest['service']} calls it, and it has no span"
    return deepest["service"], f"it calls {address}, which does not exist"


def _named(alert: pd.Series) -> tuple[str, str]:
    """The service that an alert itself names: a pod's name without its two random parts, else the app."""
    if alert["pod"]:
        return str(alert["app"] or alert["pod"].rsplit("-", 2)[0]), f"the alert names its pod {alert['pod']}"
    return str(alert["app"]), "the alert names it"


def _said(pod: str, namespace: str) -> telemetry.Query:
    """What a pod wrote, without the line for each request."""
    query = matching(pod=pod, namespace=namespace)
    query["bool"]["must_not"] = [{"term": {"app.level": "DEBUG"}}]
    return query


def _known(metrics: Metrics, namespace: str) -> Callable[[str], bool]:
    return lambda name: metrics.namespace.cluster.kube.get("Service", name, namespace) is not None


def _nothing(columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))
