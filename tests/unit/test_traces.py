"""What becomes of Jaeger's answers, without one: rows, trees, links, own times, clocks, pictures."""

import json
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from kitlib.cluster import podproxy
from kitlib.errors import ClusterError
from kitlib.kube.connection import Answer
from kitlib.telemetry import exposition, spans, traces
from kitlib.views import trace_browser
from kitlib.views.waterfall import INDENT, graph, waterfall

BEGIN = 1767261600_000000  # µs


def span(span_id: str, parent: str, process: str, begin: int, took: int, **tags: Any) -> dict[str, Any]:
    """As Jaeger has it; begin in µs after BEGIN."""
    references = [{"refType": "CHILD_OF", "traceID": "t1", "spanID": parent}] if parent else []
    return {
        "traceID": "t1",
        "spanID": span_id,
        "references": references,
        "operationName": f"GET /{span_id}",
        "startTime": BEGIN + begin,
        "duration": took,
        "tags": [{"key": key.replace("__", "."), "value": value} for key, value in tags.items()],
        "processID": process,
    }


TRACE: dict[str, Any] = {
    "traceID": "t1",
    "processes": {
        "p1": {"serviceName": "shop", "tags": [{"key": "k8s.pod.name", "value": "shop-1"}]},
        "p2": {"serviceName": "bank"},
    },
    "spans": [  # in any order, as Jaeger may send them
        span("c", "b", "p2", 200, 300, span__kind="server", error=True, http__response__status_code=503),
        span("d", "a", "p1", 700, 200, span__kind="client"),
        span("a", "", "p1", 0, 1000, span__kind="server", http__response__status_code=200),
        span("b", "a", "p1", 100, 500, span__kind="client"),
    ],
}


def found() -> pd.DataFrame:
    return spans.frame([TRACE])


def test_spans_come_in_the_order_of_their_tree() -> None:
    """Parents before their children, these by time; times in UTC, statuses as numbers, pods where they are known."""
    it = found()

    assert list(it.columns) == list(spans.COLUMNS)
    assert list(zip(it["span_id"], it["depth"], strict=True)) == [("a", 0), ("b", 1), ("c", 2), ("d", 1)]
    assert list(it["parent_id"]) == ["", "a", "b", "a"]
    assert it["start"].iloc[1] - it["start"].iloc[0] == pd.Timedelta("100us")
    assert list(it["error"]) == [False, False, True, False]
    assert list(it["code"].dropna()) == [200, 503]
    assert list(it["pod"]) == ["shop-1", "shop-1", "", "shop-1"]
    assert it["attributes"].iloc[0]["k8s.pod.name"] == "shop-1"


def test_a_span_without_its_parent_is_a_root() -> None:
    """It keeps the parent's id, so that one can see that something is missing."""
    torn = spans.frame([{**TRACE, "spans": [s for s in TRACE["spans"] if s["spanID"] != "b"]}])

    assert list(zip(torn["span_id"], torn["depth"], strict=True)) == [("a", 0), ("d", 1), ("c", 0)]
    assert torn["parent_id"].iloc[2] == "b"


def test_a_trace_in_a_row() -> None:
    """From its first begin to its last end, whatever the root says."""
    (row,) = spans.summaries(found()).to_dict("records")

    assert (row["root"], row["name"], row["spans"], row["services"], row["errors"]) == ("shop", "GET /a", 4, 2, 1)
    assert row["seconds"] == pytest.approx(0.001)
    assert list(spans.summaries(spans.frame([])).columns) == list(spans.TRACES)


def test_failing_traces_are_those_of_the_service() -> None:
    """A callee's failure is not the caller's, unless it says so."""
    it = found()

    assert spans.failing(it, "bank", True, 5).equals(it)
    assert spans.failing(it, "shop", True, 5).empty
    assert spans.failing(it, "shop", False, 5).equals(it)
    assert spans.failing(it, "bank", True, 0).empty


def test_links_are_between_services() -> None:
    """What a service does within itself is no call."""
    assert spans.links(found()).to_dict("records") == [{"caller": "shop", "callee": "bank", "calls": 1, "errors": 1}]
    assert spans.links(spans.frame([])).empty


def test_own_time_is_without_the_childrens() -> None:
    """Children side by side count once, and only where they lie within their parent."""
    own = spans.own_seconds(found())
    side_by_side = [span("e", "a", "p1", 500, 300), span("f", "a", "p1", 900, 900)]
    more = spans.own_seconds(spans.frame([{**TRACE, "spans": [*TRACE["spans"], *side_by_side]}]))

    assert list(own) == pytest.approx([300e-6, 200e-6, 300e-6, 200e-6])
    assert more.iloc[0] == pytest.approx(100e-6)


def test_clocks_that_disagree_are_seen() -> None:
    """A child before its parent, or after it, by more than is allowed."""
    late = spans.frame([{**TRACE, "spans": [*TRACE["spans"], span("g", "b", "p2", 550, 2000)]}])
    (row,) = spans.skewed(late, 0.001).to_dict("records")

    assert spans.skewed(found(), 0.0001).empty
    assert (row["service"], row["parent"]) == ("bank", "shop")
    assert row["seconds"] == pytest.approx(1950e-6)


def test_samples_of_an_exposition() -> None:
    """Labels with commas, braces and quotes in them; comments are none, and exemplars stay out."""
    text = (
        "# HELP a {b} 1\n# TYPE a counter\n"
        'a_total{path="/items/{id}",say="\\"1,2\\""} 3 # {trace_id="f"} 0.1 1\n'
        "a_total 4\nb NaN\nc +Inf\n"
    )
    read = exposition.samples(text)

    assert list(read["name"]) == ["a_total", "a_total", "b", "c"]
    assert read["labels"].iloc[0] == {"path": "/items/{id}", "say": '"1,2"'}
    assert exposition.totals(text)["a_total"] == 7


def client(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> tuple[traces.Traces, list[str]]:
    """A client whose every question gets this answer, and the paths that it asks for."""
    asked: list[str] = []

    def request(_: object, pod: str, port: int, path: str, **__: Any) -> Answer:
        asked.append(f"{pod}:{port}/{path}")
        return answer

    monkeypatch.setattr(podproxy, "request", request)
    return traces.Traces(None), asked  # type: ignore[arg-type]


def test_a_search_asks_for_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moments and durations in microseconds, attributes as JSON, and nothing that was not asked for."""
    it, asked = client(monkeypatch, Answer(200, {}, {"data": [TRACE]}))
    since = pd.Timestamp(BEGIN, unit="us", tz="UTC")
    rows = it.search("shop", attributes={"code": 503}, since=since, until=since, least=0.25)

    assert len(rows) == 1
    assert asked == [
        "jaeger-0:16686/api/traces?service=shop&tags=%7B%22code%22%3A+%22503%22%7D"
        f"&start={BEGIN}&end={BEGIN}&minDuration=250000us&limit=20"
    ]


def test_a_trace_that_is_not_there_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jaeger's 404 is an empty frame with the same columns; its other errors are errors, in its own words."""
    nothing, _ = client(monkeypatch, Answer(404, {}, {"data": None, "errors": [{"msg": "trace not found"}]}))

    assert list(nothing.spans("f").columns) == list(spans.COLUMNS)
    broken, _ = client(monkeypatch, Answer(500, {}, {"data": None, "errors": [{"msg": "no shard"}]}))
    monkeypatch.setattr(traces.Traces, "troubles", lambda _: ["a pod is not ready"])
    with pytest.raises(ClusterError, match=r"no shard\n.*a pod is not ready"):
        broken.spans("f")


def test_a_waterfall_tells_the_same_as_text() -> None:
    """A lane a span, indented; the failed one is marked; what it says is also the picture's text."""
    it = waterfall(found())

    assert "trace t1: 4 spans, 1 ms" in str(it)
    assert [lane.name.replace(INDENT, ">") for lane in it.lanes] == [
        "shop server",
        ">shop client",
        ">>bank server",
        ">shop client",
    ]
    assert it.lanes[2].spans[0].label == "0.3 ms ✗ 503"
    assert it.kinds == ("shop", "bank")
    ElementTree.fromstring(it.svg())


def test_a_graph_has_callers_left_of_whom_they_call() -> None:
    """In columns; in a circle, everyone still has a place; names are escaped."""
    frame = pd.DataFrame(
        [("web", "shop", 3, 0), ("shop", "bank", 2, 1), ("web", "bank", 1, 0)], columns=list(spans.LINKS)
    )
    circle = pd.DataFrame([("<a>", "b", 1, 0), ("b", "<a>", 1, 0)], columns=list(spans.LINKS))

    assert graph(frame).columns == (("web",), ("shop",), ("bank",))
    assert str(graph(frame)) == "web → shop: 3 calls\nshop → bank: 2 calls, 1 failed\nweb → bank: 1 call"
    assert sum(len(column) for column in graph(circle).columns) == 2
    for it in (frame, circle):
        ElementTree.fromstring(graph(it).svg())
    assert str(graph(frame.iloc[:0])) == "no calls"


@pytest.fixture
def browsed(monkeypatch: pytest.MonkeyPatch) -> traces.Traces:
    """A client that knows one trace, and two services."""

    def request(_: object, __: str, ___: int, path: str, **____: Any) -> Answer:
        return Answer(200, {}, {"data": ["bank", "shop"] if "services" in path else [TRACE]})

    monkeypatch.setattr(podproxy, "request", request)
    return traces.Traces(None)  # type: ignore[arg-type]


def test_the_browser_without_anybody_is_its_first_page(browsed: traces.Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    """List, waterfall and graph, as pictures and as text."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    shown = trace_browser.browse(browsed, "shop")._repr_mimebundle_()

    assert shown["text/html"].count("<svg") == 2
    assert all(text in shown["text/plain"] for text in ("the newest 1 traces of shop", "bank server", "shop → bank"))


def test_the_browser_searches_when_a_widget_changes(browsed: traces.Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another service, another page; a trace is chosen from the list; a failure stands in place of traces."""
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook")
    head, shown = trace_browser.browse(browsed).children
    service, _, _, pick, _ = head.children
    first = shown.value
    service.value = "shop"
    chosen = pick.value
    monkeypatch.setattr(podproxy, "request", lambda *_, **__: Answer(500, {}, "no shard"))
    monkeypatch.setattr(traces.Traces, "troubles", lambda _: [])
    service.value = "bank"

    assert "traces of bank" in first
    assert chosen == "t1"
    assert "no shard" in shown.value


def test_found_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a trace is made of survives the way through JSON."""
    it, _ = client(monkeypatch, Answer(200, {}, json.loads(json.dumps({"data": [TRACE]}))))

    pd.testing.assert_frame_equal(it.spans("t1"), found())
