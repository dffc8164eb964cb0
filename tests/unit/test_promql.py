"""%%promql cells without Prometheus: what is shown of its answers, and what an error says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from kitlib.cluster import podproxy
from kitlib.errors import ClusterError, UsageError
from kitlib.kube.connection import Answer
from kitlib.telemetry.metrics import Metrics
from kitlib.views import promql
from kitlib.views.plots import Plot

METRICS = Metrics(None)  # type: ignore[arg-type]
NAMES = {"metrics": METRICS, "mine": METRICS, "other": 1}
AT = round(time.time()) - 10.5  # within the spans that are drawn
UP = {
    "resultType": "vector",
    "result": [
        {"metric": {"__name__": "up", "job": "shop", "pod": "shop-0"}, "value": [AT, "1"]},
        {"metric": {"__name__": "up", "job": "prometheus"}, "value": [AT, "0"]},
    ],
}
NOTHING = {"resultType": "vector", "result": []}
TREE = {  # of rate(jvm_memory_used_byte[1m]) / up
    "type": "binaryExpr",
    "lhs": {
        "type": "call",
        "func": {"name": "rate"},
        "args": [{"type": "matrixSelector", "name": "jvm_memory_used_byte", "matchers": []}],
    },
    "rhs": {"type": "vectorSelector", "name": "up", "matchers": []},
}
Asked = list[str]
Prometheus = Callable[..., Asked]


@pytest.fixture
def prometheus(monkeypatch: pytest.MonkeyPatch) -> Prometheus:
    """Answers each path of the API with the data that is given for it, or refuses every question; returns the questions."""

    def stand_in(answers: Mapping[str, Any] | None = None, *, error: str = "") -> Asked:
        asked: Asked = []

        def request(_: object, __: str, ___: int, path: str, **____: Any) -> Answer:
            asked.append(path.removeprefix("api/v1/"))
            if error:
                return Answer(400, {}, {"status": "error", "error": error})
            return Answer(200, {}, {"data": (answers or {})[asked[-1].partition("?")[0]]})

        monkeypatch.setattr(podproxy, "request", request)
        return asked

    return stand_in


def _cell(line: str, body: str) -> Any:
    return promql.run_cell(NAMES, line, body)


def test_the_values_of_now_are_a_table(prometheus: Prometheus) -> None:
    """One row per series; a label that a series lacks is empty, and the moment, which all share, is left out."""
    asked = prometheus({"query": UP})
    shown = _cell("", "up\n")

    assert asked == ["query?query=up"]
    assert shown.to_dict("list") == {
        "__name__": ["up", "up"],
        "job": ["shop", "prometheus"],
        "pod": ["shop-0", ""],
        "value": [1.0, 0.0],
    }


def test_a_range_has_a_row_per_sample(prometheus: Prometheus) -> None:
    """Each sample has its time."""
    series = {"metric": {"job": "shop"}, "values": [[AT, "1"], [AT + 1, "2"]]}
    prometheus({"query": {"resultType": "matrix", "result": [series]}})
    shown = _cell("", "up[2s]")

    assert list(shown["value"]) == [1.0, 2.0]
    assert list(shown["time"]) == [pd.Timestamp(at, unit="s", tz="UTC") for at in (AT, AT + 1)]


def test_a_span_is_drawn(prometheus: Prometheus) -> None:
    """A line per series, named by the labels that differ; the table has its last, lowest and highest value; NaN is left out."""
    result = [
        {"metric": {"job": "shop", "code": code}, "values": [[AT, low], [AT + 1, high], [AT + 2, "NaN"]]}
        for code, low, high in (("200", "2", "8"), ("500", "1", "0"))
    ]
    asked = prometheus({"query_range": {"resultType": "matrix", "result": result}})
    shown = _cell("mine --last 2m", "sum by (job, code) (\n  x\n)\n")

    assert isinstance(shown, Plot)
    assert asked[0].endswith("&step=2.0")
    assert shown.title == "sum by (job, code) ( x )"
    assert shown.table.to_dict("list") == {
        "series": ["code=200", "code=500"],
        "last": [8.0, 0.0],
        "lowest": [2.0, 0.0],
        "highest": [8.0, 1.0],
    }
    assert "code=500" in shown.svg


def test_a_single_series_has_a_name(prometheus: Prometheus) -> None:
    """No label tells it from another."""
    series = {"metric": {"job": "shop"}, "values": [[AT, "1"]]}
    prometheus({"query_range": {"resultType": "matrix", "result": [series]}})

    assert list(_cell("--last 30s", "up").table["series"]) == ["value"]


def test_an_empty_answer_names_the_metric_that_is_missing(prometheus: Prometheus, capsys: Any) -> None:
    """Prometheus parses the expression; a metric that it has no series of is named, with the one that comes close."""
    prometheus({"query": NOTHING, "label/__name__/values": ["jvm_memory_used_bytes", "up"], "parse_query": TREE})

    assert _cell("", "rate(jvm_memory_used_byte[1m]) / up") is None
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == ["No metric is called jvm_memory_used_byte: did you mean jvm_memory_used_bytes?"]


def test_an_empty_answer_of_known_metrics_asks_for_labels(prometheus: Prometheus, capsys: Any) -> None:
    """No metric is missing, and so a label or the window is wrong."""
    prometheus({"query": NOTHING, "label/__name__/values": ["up"], "parse_query": TREE["rhs"]})
    _cell("", 'up{job="nowhere"}')

    assert "does a label have another value" in capsys.readouterr().out


def test_a_metric_of_another_name_leads_to_the_targets(prometheus: Prometheus, capsys: Any) -> None:
    """No known name comes close; the next step names the learner's client."""
    prometheus({"query": NOTHING, "label/__name__/values": ["up"], "parse_query": TREE})
    _cell("mine", "rate(jvm_memory_used_byte[1m]) / up")

    assert "`mine.targets()`" in capsys.readouterr().out


def test_a_mistake_points_into_the_cell(prometheus: Prometheus) -> None:
    """The line is that of the cell, whose first line is the magic; the caret is below the column."""
    prometheus(error='invalid parameter "query": 2:7: parse error: unexpected "}"')

    with pytest.raises(UsageError, match='line 3: unexpected "}"') as raised:
        _cell("", "sum(\n  up{,}\n)\n")
    assert raised.value.observed == ("  up{,}", "      ^")
    assert "prometheus.io" in raised.value.hint


def test_what_cannot_be_drawn_says_so(prometheus: Prometheus) -> None:
    """A range of samples has no value at a moment."""
    prometheus(
        error='invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector'
    )

    with pytest.raises(UsageError, match="gives a range vector"):
        _cell("--last 5m", "up[1m]")


def test_a_text_is_no_metric(prometheus: Prometheus) -> None:
    """A name in quotes is a text, and has no series."""
    prometheus({"query": {"resultType": "string", "result": [AT, "up"]}})

    with pytest.raises(ClusterError, match="text") as raised:
        _cell("", '"up"')
    assert "without quotes" in raised.value.hint


def test_other_refusals_stay_in_the_words_of_prometheus(prometheus: Prometheus) -> None:
    """Such as series that do not match one to one."""
    prometheus(error="execution: found duplicate series for the match group")

    with pytest.raises(ClusterError, match="duplicate series"):
        _cell("", "a / b")


@pytest.mark.parametrize("line", ["--least 5m", "metrics more", "--last"])
def test_unknown_words_are_refused(line: str) -> None:
    """A misspelt option says how the magic is used."""
    with pytest.raises(UsageError, match="%%promql") as raised:
        _cell(line, "up")
    assert "usage: %%promql" in raised.value.hint


@pytest.mark.parametrize("span", ["5", "m", "0s", "5 m", "1d"])
def test_a_span_has_a_number_and_a_unit(span: str) -> None:
    """Any other text is refused, and an example is given."""
    with pytest.raises(UsageError, match="not a span") as raised:
        _cell(f"--last '{span}'", "up")
    assert "5m" in raised.value.hint


def test_an_empty_cell_is_refused() -> None:
    """There is no expression to ask for."""
    with pytest.raises(UsageError, match="no expression"):
        _cell("", "\n")


def test_a_variable_without_a_client_is_refused() -> None:
    """The next step names the variables that have one, or makes one."""
    with pytest.raises(UsageError, match="no variable other") as raised:
        _cell("other", "up")
    assert raised.value.hint == "%%promql metrics or %%promql mine"

    with pytest.raises(UsageError) as raised:
        promql.run_cell({}, "", "up")
    assert "kit.stacks.metrics.install" in raised.value.hint
