"""Prometheus' samples and the results of its rules: reading and awaiting them; the receiver's messages; and diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from kitlib.cluster import podproxy
from kitlib.cluster.bound import Namespace
from kitlib.errors import ApiError, ClusterError
from kitlib.host.stats import quantity
from kitlib.kube import quantity as quantities
from kitlib.telemetry import pods, polling
from kitlib.telemetry.samples import LABELS, WORDS, described, frame, moment

POD, PORT = "prometheus-0", 9090
RECEIVER, RECEIVER_PORT = "receiver-0", 8080
NAMESPACES = ("kit-metrics", "kit-metrics-nodes", "kit-metrics-server")
SECONDS = 30


@dataclass(frozen=True)
class Metrics:
    """Prometheus, and the receiver of its alerts.  namespace: the one they run in."""

    namespace: Namespace

    def ask(self, path: str, *, seconds: float = SECONDS, **words: Any) -> Any:
        """One question to Prometheus' API, `path` below /api/v1/; the `data` of its answer.

        Raises ClusterError in Prometheus' words, or when it does not answer within `seconds`.
        """
        body = self._get(POD, PORT, f"api/v1/{path}?{urlencode(words)}", seconds)
        return body["data"]

    def query(self, expression: str, *, at: pd.Timestamp | None = None) -> pd.DataFrame:
        """The value of an expression in PromQL at one moment, by default now: labels, time (UTC) and value, one row per series.

        A scalar is one row without labels; what has no value has no row; of a range of samples, each is a row.
        """
        found = self.ask("query", query=expression, **({"time": at.timestamp()} if at is not None else {}))
        if found["resultType"] == "string":
            raise ClusterError(f"{expression} is a text, which has no series", hint="a metric stands without quotes")
        vector = [{"metric": {}, "value": found["result"]}] if found["resultType"] == "scalar" else found["result"]
        return frame([(s["metric"], *point) for s in vector for point in s.get("values", [s.get("value")])])

    def value(self, expression: str, *, at: pd.Timestamp | None = None) -> float:
        """The one value of an expression.  Raises ClusterError when it has none, or several."""
        found = self.query(expression, at=at)
        if len(found) != 1:
            raise ClusterError(
                f"{expression} has {quantity(len(found), 'values')}, not one",
                hint="`.query(expression)` of the same client shows them; is the target scraped? `.targets()`",
            )
        return float(found["value"].iloc[0])

    def history(self, expression: str, start: pd.Timestamp, end: pd.Timestamp, *, step: float = 2.0) -> pd.DataFrame:
        """The values of an expression from start to end, every `step` seconds: its labels, time (UTC), value."""
        words = {"query": expression, "start": start.timestamp(), "end": end.timestamp(), "step": step}
        result = self.ask("query_range", **words)["result"]
        return frame([(series["metric"], *point) for series in result for point in series["values"]])

    def samples(self, selector: str, seconds: int) -> pd.DataFrame:
        """The samples as they were scraped in the last so many seconds: labels, time (UTC, of the scrape), value."""
        return self.query(f"{selector}[{seconds}s]")

    def targets(self) -> pd.DataFrame:
        """The targets: job, instance, namespace, pod, health (up, down, unknown), error, interval (s), scraped (UTC), took (s), url."""
        active = self.ask("targets", state="active")["activeTargets"]
        rows = [
            {
                **{name: t["labels"].get(name, "") for name in ("job", "instance", "namespace", "pod")},
                "health": t["health"],
                "error": t["lastError"],
                "interval": pd.Timedelta(t["scrapeInterval"]).total_seconds(),
                "scraped": moment(t["lastScrape"]),
                "took": t["lastScrapeDuration"],
                "url": t["scrapeUrl"],
            }
            for t in active
        ]
        columns = ["job", "instance", "namespace", "pod", "health", "error", "interval", "scraped", "took", "url"]
        return pd.DataFrame(rows, columns=columns).sort_values(["job", "instance"], ignore_index=True)

    def rules(self) -> pd.DataFrame:
        """Its rules: group, name, kind (recording, alerting), query, health (ok, err, unknown), error, evaluated (UTC), took (s)."""
        rows = [
            (
                g["name"],
                r["name"],
                r["type"],
                r["query"],
                r["health"],
                r.get("lastError", ""),
                moment(r["lastEvaluation"]),
                r["evaluationTime"],
            )
            for g in self.ask("rules")["groups"]
            for r in g["rules"]
        ]
        return pd.DataFrame(rows, columns=["group", "name", "kind", "query", "health", "error", "evaluated", "took"])

    def alerts(self) -> pd.DataFrame:
        """The alerts that are not at rest: alert, state (pending, firing), since (UTC), value, LABELS, WORDS."""
        rows = [
            {
                "alert": a["labels"]["alertname"],
                "state": a["state"],
                "since": moment(a["activeAt"]),
                "value": float(a["value"]),
                **described(a),
            }
            for a in self.ask("alerts")["alerts"]
        ]
        return pd.DataFrame(rows, columns=["alert", "state", "since", "value", *LABELS, *WORDS])

    def exemplars(self, expression: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        """Requests that stand for their buckets: labels of the series, trace_id, time (UTC), value (s for a duration)."""
        found = self.ask("query_exemplars", query=expression, start=start.timestamp(), end=end.timestamp())
        rows = [
            {
                **series["seriesLabels"],
                "trace_id": e["labels"].get("trace_id", ""),
                "time": pd.Timestamp(e["timestamp"], unit="s", tz="UTC"),
                "value": float(e["value"]),
            }
            for series in found
            for e in series["exemplars"]
        ]
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["trace_id", "time", "value"])

    def deliveries(self) -> pd.DataFrame:
        """The messages from Alertmanager to the receiver, oldest first, one row per alert of a message.

        received, starts, ends (UTC; NaT while it fires), alert, status (firing, resolved), LABELS, WORDS.
        """
        found = self._get(RECEIVER, RECEIVER_PORT, "deliveries", SECONDS)["deliveries"]
        rows = [
            {
                "received": moment(delivery["received"]),
                "alert": a["labels"]["alertname"],
                "status": a["status"],
                "starts": moment(a["startsAt"]),
                "ends": moment(a["endsAt"]),
                **described(a),
            }
            for delivery in found
            for a in delivery["message"]["alerts"]
        ]
        columns = ["received", "alert", "status", "starts", "ends", *LABELS, *WORDS]
        return pd.DataFrame(rows, columns=columns)

    def usage(self, namespace: str) -> pd.DataFrame:
        """The containers' usage by metrics-server: pod, container, cpu (cores), memory (bytes)."""
        found = self.namespace.cluster.kube.list("PodMetrics", namespace)
        rows = [
            (
                pod["metadata"]["name"],
                c["name"],
                quantities.parse(c["usage"]["cpu"]),
                quantities.parse(c["usage"]["memory"]),
            )
            for pod in found
            for c in pod["containers"]
        ]
        return pd.DataFrame(rows, columns=["pod", "container", "cpu", "memory"])

    def until(self, expression: str, seconds: float = 60) -> pd.DataFrame:
        """Ask until an expression has a value; returns it as `query` does.  Raises WaitTimeout with what is wrong."""
        return self._awaited(lambda: self.query(expression), f"no value of {expression}", seconds)

    def delivered(
        self,
        alert: str,
        labels: Mapping[str, str],
        *,
        status: str = "firing",
        after: pd.Timestamp | None = None,
        seconds: float = 90,
    ) -> pd.DataFrame:
        """Wait until the receiver has an alert with these labels (of LABELS); returns its rows of `deliveries`.  Raises WaitTimeout.

        after: messages that were received until then do not count.
        """
        wanted = {"alert": alert, "status": status, **labels}

        def arrived() -> pd.DataFrame:
            found = self.deliveries()
            fits = (found[list(wanted)] == pd.Series(wanted)).all(axis=1)
            return found[fits if after is None else fits & (found["received"] > after)].reset_index(drop=True)

        return self._awaited(arrived, f"{alert} was not delivered as {status}", seconds)

    def troubles(self) -> list[str]:
        """What is wrong with the stack and its targets, one line per problem with the next step; [] when nothing is."""
        found = pods.troubles(self.namespace.cluster, NAMESPACES)
        try:
            return [*found, *self._targets_down(), *self._rules_broken(), *self._clocks_off()]
        except ClusterError:  # Prometheus itself does not answer
            if not found:
                raise
            return found

    def _targets_down(self) -> Iterable[str]:
        targets = self.targets()
        for t in targets[targets["health"] == "down"].itertuples():
            yield f"target {t.job} {t.instance} is down, {t.error}: does {t.url} answer? are port and path of its annotations right?"

    def _rules_broken(self) -> Iterable[str]:
        rules = self.rules()
        for r in rules[rules["health"] == "err"].itertuples():
            yield f"rule {r.name} cannot be evaluated, {r.error}: fix it in cluster/stacks/metrics/prometheus/rules.yml"

    def _clocks_off(self) -> Iterable[str]:
        alerts = self.alerts()
        for a in alerts[alerts["alert"] == "ClockSkew"].itertuples():
            yield f"the clock of {a.instance} is off, {a.summary}: is its time synchronised? timedatectl on the node says"

    def _awaited(self, look: Callable[[], pd.DataFrame], failure: str, seconds: float) -> pd.DataFrame:
        return polling.until(
            look, lambda found: not found.empty, failure=lambda _: failure, seconds=seconds, observed=self.troubles
        )

    def _get(self, pod: str, port: int, path: str, seconds: float) -> Any:
        try:
            answer = podproxy.request(self.namespace, pod, port, path, method="GET", body=None, seconds=seconds)
        except ApiError as e:
            observed = pods.troubles(self.namespace.cluster, NAMESPACES)
            raise ClusterError(
                e.message, observed=observed, hint="is the stack installed? ./kit stacks install metrics"
            ) from e
        if answer.status >= 400:
            said = answer.body.get("error") if isinstance(answer.body, dict) else answer.body
            raise ClusterError(f"{path.partition('?')[0]}: {said}")
        return answer.body
