"""The stack of the traces on the real cluster: from spans that are sent to a trace that is found, and the diagnosis when one is missing."""

import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
import yaml

from kitlib.cli import main
from kitlib.cluster import podproxy
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError, WaitTimeout
from kitlib.kube import kustomize, wait
from kitlib.measure.signals import propagation
from kitlib.stacks import base, logs, metrics
from kitlib.stacks import traces as stack
from kitlib.telemetry import polling
from kitlib.telemetry.logs import Logs
from kitlib.telemetry.metrics import Metrics
from kitlib.telemetry.traces import Traces
from kitlib.views.waterfall import graph, waterfall
from kitlib.workloads import app
from tests.cluster import settings

IMAGE = "goapp-scratch"
CHAIN = [
    ("gateway", "server", 0),
    ("gateway", "client", 1),
    ("catalog", "server", 2),
    ("catalog", "client", 3),
    ("backend", "server", 4),
]
TINY_QUEUE = "exporters: {otlphttp: {sending_queue: {queue_size: 2, num_consumers: 1}}}"
OTLP = 4318


@pytest.fixture(scope="module")
def traces(cluster: Cluster) -> Iterator[Traces]:
    """The stack, installed twice in a row."""
    stack.install(cluster)
    yield stack.install(cluster)
    stack.remove(cluster)


def test_every_setting_arrives(cluster: Cluster, traces: Traces) -> None:
    """Each option and variable of each manifest is one of the process that runs."""
    assert traces
    assert settings.lost(cluster, settings.manifests(stack.MEMORY)) == {}


@pytest.mark.parametrize(
    ("pod", "files"),
    [("collector-0", ["collector/config.yaml"]), ("jaeger-0", ["jaeger/config.yaml", "jaeger/memory.yaml"])],
)
def test_it_runs_with_its_files(traces: Traces, pod: str, files: list[str]) -> None:
    """Asked for its configuration, each says what the stack's files say together."""
    running = podproxy.request(traces.namespace, pod, 13133, "config", method="GET", body=None, seconds=10).body
    folder = kustomize.CLUSTER / "stacks" / stack.MEMORY.name
    written = [yaml.safe_load((folder / file).read_text()) for file in files]

    assert [found for part in written for found in settings.differences(part, running)] == []


@pytest.fixture
def chain(cluster: Cluster, traces: Traces, namespace: Namespace) -> Namespace:
    """A namespace with gateway, catalog and backend, which send their spans."""
    assert traces
    propagation.start(namespace, cluster.image(IMAGE))
    return namespace


def _asked(namespace: Namespace, name: str = "gateway", status: int = 200) -> pd.Timestamp:
    """One request; returns the moment before it."""
    before = pd.Timestamp.now("UTC")
    (pod,) = app.pods(namespace, name)

    assert app.ask(namespace, pod, "/items").status == status
    return before


def _sent(traces: Traces, *spans: tuple[str, str, str, float, float]) -> str:
    """Spans made here: service, id, parent's id, begin and end in seconds from now; returns the id of their trace."""
    trace_id, now = f"{time.time_ns():032x}", time.time_ns()

    def resource(service: str, span_id: str, parent: str, begin: float, end: float) -> dict[str, Any]:
        at = {"startTimeUnixNano": str(now + int(begin * 1e9)), "endTimeUnixNano": str(now + int(end * 1e9))}
        span = {"traceId": trace_id, "spanId": span_id, "parentSpanId": parent, "name": "made", "kind": 2, **at}
        names = [{"key": "service.name", "value": {"stringValue": service}}]
        return {"resource": {"attributes": names}, "scopeSpans": [{"spans": [span]}]}

    body = {"resourceSpans": [resource(*span) for span in spans]}
    answer = podproxy.request(traces.namespace, "collector-0", OTLP, "v1/traces", method="POST", body=body, seconds=10)

    assert answer.status == 200
    return trace_id


def test_a_request_through_three_services_is_one_trace(traces: Traces, chain: Namespace) -> None:
    """Five spans, each the child of the one before, each with its pod; the caller's lasts longer than the callee's."""
    since = _asked(chain)
    found = traces.newest("gateway", since, spans=len(CHAIN))
    pods = {name: app.pods(chain, name)[0]["metadata"]["name"] for name in app.CHAIN}

    assert [(s.service, s.kind, s.depth) for s in found.itertuples()] == CHAIN
    assert list(found["parent_id"].iloc[1:]) == list(found["span_id"].iloc[:-1])
    assert found["parent_id"].iloc[0] == ""
    assert found["seconds"].is_monotonic_decreasing
    assert set(found["trace_id"].str.len()) == {32}
    assert [pods[service] for service in found["service"]] == list(found["pod"])
    assert set(found["code"]) == {200}
    assert not found["error"].any()


def test_a_trace_is_found_by_what_it_is_like(traces: Traces, chain: Namespace) -> None:
    """By service, by name, by duration, by an attribute, and by having failed; with the calls between services."""
    _asked(chain)
    since = pd.Timestamp.now("UTC")
    (pod,) = app.pods(chain, "backend")
    app.inject(chain, pod, "delay", duration="300ms")
    app.inject(chain, pod, "error", rate=1.0, status=503)
    _asked(chain, status=503)
    failed = traces.newest("gateway", since, spans=len(CHAIN))["trace_id"].iloc[0]
    found = {
        "failed": traces.search("gateway", attributes={"error": True}, since=since),
        "slow": traces.search("gateway", least=0.25, since=since),
        "status": traces.search("backend", attributes={"http.response.status_code": 503}, since=since),
        "name": traces.search("catalog", operation="GET /items", since=since),
    }
    (row,) = found["slow"].to_dict("records")
    links = traces.links("gateway", since)

    assert {name: list(rows["trace_id"]) for name, rows in found.items()} == {name: [failed] for name in found}
    assert (row["root"], row["spans"], row["services"]) == ("gateway", 5, 3)
    assert row["seconds"] >= 0.3
    assert traces.search("gateway", operation="GET /nothing").empty
    assert links.to_dict("split")["data"] == [["gateway", "catalog", 1, 1], ["catalog", "backend", 1, 1]]
    assert str(graph(links)).splitlines()[0] == "gateway → catalog: 1 call, 1 failed"
    assert "backend server" in str(waterfall(traces.spans(failed)))


def test_the_collector_counts_what_was_sent(traces: Traces) -> None:
    """Every span, for Prometheus to scrape."""
    service = f"counted-{time.time_ns()}"
    for _ in range(7):
        _sent(traces, (service, "1" * 16, "", 0, 0.1))

    def counted() -> float:
        calls = traces.calls()
        return float(calls[(calls["service"] == service) & (calls["kind"] == "server")]["calls"].sum())

    assert polling.settled(lambda: int(counted()), enough=7, patience=15) == 7
    assert len(traces.search(service)) == 7


def test_prometheus_finds_what_the_collector_counts(cluster: Cluster, traces: Traces) -> None:
    """With the store of the metrics beside it, calls are a series, and a bucket leads to a trace by its exemplar."""
    service, since = f"scraped-{time.time_ns()}", pd.Timestamp.now("UTC")
    store = Metrics(base.install(cluster, metrics.STORE))
    try:
        sent = {_sent(traces, (service, "1" * 16, "", 0, 0.1)) for _ in range(3)}
        store.until(f'sum(traces_calls_total{{service_name="{service}"}}) == 3', seconds=40)
        buckets = f'traces_duration_seconds_bucket{{service_name="{service}"}}'
        exemplars = store.exemplars(buckets, since, pd.Timestamp.now("UTC"))
    finally:
        base.remove(cluster, metrics.STORE)

    assert set(exemplars["trace_id"])
    assert set(exemplars["trace_id"]) <= sent


def test_tail_sampling_keeps_what_failed(traces: Traces, chain: Namespace) -> None:
    """With policies for errors and for slow ones, of three requests those two are kept whose traces tell something."""
    nothing_else = stack.TAIL_SAMPLING.replace("sampling_percentage: 10", "sampling_percentage: 0")
    stack.overlay(chain.cluster, nothing_else)
    try:
        since = _asked(chain)
        (pod,) = app.pods(chain, "backend")
        app.inject(chain, pod, "delay", duration="300ms")
        _asked(chain)
        app.heal(chain, pod, "delay")
        app.inject(chain, pod, "error", rate=1.0)
        _asked(chain, status=500)
        whole = [len(CHAIN)] * 2
        found = polling.until(
            lambda: traces.search("gateway", since=since),
            lambda seen: list(seen["spans"]) == whole,
            failure=str,
            seconds=20,
        )
    finally:
        stack.overlay(chain.cluster, "{}")

    assert sorted(found["errors"] > 0) == [False, True]
    assert found["seconds"].max() >= 0.3


def test_clocks_that_disagree_are_named(traces: Traces) -> None:
    """A child that begins before its parent."""
    trace_id = _sent(traces, ("early-parent", "1" * 16, "", 0, 1), ("early-child", "2" * 16, "1" * 16, -0.5, 0.5))
    traces.until(trace_id, spans=2)
    (line,) = (line for line in traces.troubles() if "early" in line)

    assert "early-child lie outside of their parents' of early-parent, by up to 0.5 s" in line
    assert "clocks" in line


def test_a_trace_that_is_not_there_is_empty(traces: Traces) -> None:
    """And waiting for it ends with what to look at."""
    nowhere = "f" * 32

    assert traces.spans(nowhere).empty
    with pytest.raises(WaitTimeout, match="has 0 spans, not 1"):
        traces.until(nowhere, seconds=0.5)


def test_a_full_queue_is_named(cluster: Cluster, traces: Traces, chain: Namespace) -> None:
    """Without Jaeger, spans wait in the collector; those that find no room are dropped, counted and told."""
    stack.overlay(cluster, TINY_QUEUE)
    _scaled(traces, 0)
    try:
        _asked(chain)

        def told() -> list[str]:
            _asked(chain)
            return [line for line in traces.troubles() if "queue was full" in line]

        (line,) = polling.until(told, bool, failure=str, seconds=30)
    finally:
        _scaled(traces, 1)
        stack.overlay(cluster, "{}")

    assert "spans were dropped" in line
    assert "does Jaeger answer?" in line


def test_an_overlay_that_is_none_is_refused(cluster: Cluster, traces: Traces) -> None:
    """The collector says which key it does not know; afterwards it can be taken back."""
    with pytest.raises(WaitTimeout, match="no_such_thing"):
        stack.overlay(cluster, "processors: {no_such_thing: {}}", seconds=15)
    stack.overlay(cluster, "{}")

    assert traces.services() is not None


def test_storage_in_elasticsearch_needs_it(cluster: Cluster) -> None:
    """Without the stack of the logs there is no Elasticsearch."""
    with pytest.raises(ClusterError, match="no Elasticsearch"):
        stack.install(cluster, "elasticsearch")


def test_the_same_in_elasticsearch(cluster: Cluster, traces: Traces, chain: Namespace) -> None:
    """The same trace, found in the same ways; it is there after Jaeger was killed, and gone with the stack."""
    store = Logs(base.install(cluster, logs.STORE))
    try:
        kept = stack.install(cluster, "elasticsearch")
        found = kept.newest("gateway", _asked(chain), spans=len(CHAIN), seconds=30)
        trace_id = found["trace_id"].iloc[0]
        _scaled(traces, 0)
        _scaled(traces, 1)
        after = kept.spans(trace_id)
        links = kept.links("gateway")
        stack.remove(cluster)
        left = store.ask("GET", f"_cat/indices/{stack.INDICES}*?format=json")
        templates = [t["name"] for t in store.ask("GET", "_index_template")["index_templates"]]
    finally:
        base.remove(cluster, logs.STORE)
        stack.install(cluster)

    assert [(s.service, s.kind, s.depth) for s in found.itertuples()] == CHAIN
    pd.testing.assert_frame_equal(found.drop(columns="attributes"), after.drop(columns="attributes"))
    assert list(links["callee"]) == ["catalog", "backend"]
    assert left == []
    assert [name for name in templates if name.startswith(stack.INDICES)] == []


def test_the_command_line_knows_it(cluster: Cluster, traces: Traces, capsys: pytest.CaptureFixture[str]) -> None:
    """`kit stacks` says what is there and what it takes, removes it, and installs it again."""
    assert cluster.identity and traces
    capsys.readouterr()
    codes = [main(["stacks", action, "traces"]) for action in ("list", "remove", "list", "install")]
    before, after, *takes = capsys.readouterr().out.splitlines()

    assert codes == [0, 0, 0, 0]
    assert before.startswith("traces   memory ")
    assert after == "traces   not there"
    assert "at most" in takes[0]
    assert stack.find(cluster) is not None


def test_removed_without_a_trace(cluster: Cluster, traces: Traces) -> None:
    """Nothing is left in the cluster."""
    assert traces
    stack.remove(cluster)

    assert base.left(cluster, stack.MEMORY) == []
    assert stack.find(cluster) is None
    assert cluster.kube.get("Namespace", stack.MEMORY.instance) is None


def _scaled(traces: Traces, replicas: int) -> None:
    """So many of Jaeger; returns when it is so."""
    kube, name = traces.namespace.cluster.kube, traces.namespace.name
    kube.patch("StatefulSet", "jaeger", name, {"spec": {"replicas": replicas}})
    if replicas:
        wait.until(kube, "StatefulSet", "jaeger", name, done=base.READY["StatefulSet"], what="ready")
    else:
        wait.until(kube, "Pod", "jaeger-0", name, done=wait.gone, what="gone")
