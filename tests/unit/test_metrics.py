"""What becomes of Prometheus' answers, without one."""

import json
from typing import Any

import pandas as pd
import pytest

from kitlib.cluster import podproxy
from kitlib.errors import ClusterError
from kitlib.kube.connection import Answer
from kitlib.telemetry import metrics

SERIES = [
    {"metric": {"__name__": "up", "job": "pods"}, "value": [1767261600.5, "1"]},
    {"metric": {"__name__": "up", "node": "one"}, "value": [1767261600.5, "NaN"]},
]
ALERT = {
    "status": "firing",
    "labels": {"alertname": "TargetDown", "job": "pods"},
    "annotations": {"summary": "pods does not answer"},
    "startsAt": "2026-01-01T10:00:00.5Z",
    "endsAt": "0001-01-01T00:00:00Z",
}


def client(monkeypatch: pytest.MonkeyPatch, body: Any, status: int = 200) -> tuple[metrics.Metrics, list[str]]:
    """A client whose every question gets this answer, and the paths that it asks for."""
    asked: list[str] = []

    def request(_: object, pod: str, port: int, path: str, **__: Any) -> Answer:
        asked.append(f"{pod}:{port}/{path}")
        return Answer(status, {}, json.loads(json.dumps(body)))

    monkeypatch.setattr(podproxy, "request", request)
    return metrics.Metrics(None), asked  # type: ignore[arg-type]


def test_a_vector_is_a_row_a_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels are columns, one that a series lacks is missing there; times are UTC, and NaN is a value."""
    it, asked = client(monkeypatch, {"data": {"resultType": "vector", "result": SERIES}})
    found = it.query('up{job="a b"}')

    assert asked == ["prometheus-0:9090/api/v1/query?query=up%7Bjob%3D%22a+b%22%7D"]
    assert list(found.columns) == ["__name__", "job", "node", "time", "value"]
    assert found["time"].iloc[0] == pd.Timestamp("2026-01-01T10:00:00.5Z")
    assert list(found["value"].isna()) == [False, True]
    assert list(found["job"].isna()) == [False, True]


def test_one_value_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scalar has a value; two series have none that could be meant."""
    scalar, _ = client(monkeypatch, {"data": {"resultType": "scalar", "result": [0, "2.5"]}})
    one = scalar.value("2.5")
    several, _ = client(monkeypatch, {"data": {"resultType": "vector", "result": SERIES}})

    assert one == 2.5
    with pytest.raises(ClusterError, match="not one"):
        several.value("up")


def test_nothing_has_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """An expression without a value is a frame without rows, in which time and value can be asked for."""
    it, _ = client(monkeypatch, {"data": {"resultType": "vector", "result": []}})

    assert list(it.query("nothing").columns) == ["time", "value"]


def test_prometheus_speaks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it refuses is an error in its own words."""
    it, _ = client(monkeypatch, {"status": "error", "error": "parse error: unexpected end"}, 400)

    with pytest.raises(ClusterError, match="parse error: unexpected end"):
        it.query("sum(")


def test_a_delivery_is_a_row_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message can have several; what has not ended has no end, and a label that is missing is an empty text."""
    received = "2026-01-01T10:00:02.123456789Z"
    message = {"alerts": [ALERT, {**ALERT, "status": "resolved", "endsAt": "2026-01-01T11:00:01+01:00"}]}
    it, _ = client(monkeypatch, {"deliveries": [{"received": received, "message": message}]})
    found = it.deliveries()

    assert list(found["status"]) == ["firing", "resolved"]
    assert list(found["received"]) == 2 * [pd.Timestamp(received)]
    assert found["ends"].isna().tolist() == [True, False]
    assert found["ends"].iloc[1] == pd.Timestamp("2026-01-01T10:00:01Z")
    assert set(found["job"]) == {"pods"} and set(found["pod"]) == {""}


def test_a_clock_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the alert, with what to look at; alerts of other kinds are not the stack's troubles."""
    labels = {"alertname": "ClockSkew", "instance": "10.0.0.1:9100"}
    alert = {"labels": labels, "annotations": {"summary": "3s apart"}, "state": "firing", "activeAt": ALERT["startsAt"]}
    other = {**alert, "labels": {"alertname": "HighErrorRate"}}
    it, _ = client(monkeypatch, {"data": {"alerts": [{**alert, "value": "3"}, {**other, "value": "1"}]}})
    (line,) = it._clocks_off()

    assert line.startswith("the clock of 10.0.0.1:9100 is off, 3s apart: ")
