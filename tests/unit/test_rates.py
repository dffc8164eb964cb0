"""What is made of a recorded load and of Prometheus' answers, without either."""

from typing import Any

import pandas as pd
import pytest

from kitlib.measure.signals import rates, scrapes
from kitlib.measure.signals.rates import Recording
from kitlib.telemetry.metrics import Metrics

START = pd.Timestamp("2026-01-01T10:00:00Z")
MOMENTS = [START + pd.Timedelta(milliseconds=ms) for ms in (100, 900, 1_950)]


class Namespace:
    """Only its name is asked for."""

    name = "kit-test"


def _seconds(number: float) -> pd.Timedelta:
    return pd.Timedelta(seconds=number)


@pytest.fixture
def recording() -> Recording:
    """Ten requests a second for forty seconds to the steady instance, each answered at once; a crash of the other after twenty."""
    times = [START + _seconds(i / 10) for i in range(400)]
    sent = pd.DataFrame({"time": times, "answered": times, "app": rates.STEADY, "ok": True, "latency": 0.012})
    crashing = sent.assign(app=rates.RESTARTED, ok=[time < START + _seconds(20) for time in times])
    return Recording(Metrics(None), Namespace(), pd.concat([sent, crashing]), START + _seconds(20))  # type: ignore[arg-type]


def _answers(monkeypatch: pytest.MonkeyPatch, value: float | None) -> list[tuple[str, pd.Timestamp]]:
    asked: list[tuple[str, pd.Timestamp]] = []

    def query(_: object, expression: str, *, at: pd.Timestamp) -> pd.DataFrame:
        asked.append((expression, at))
        return pd.DataFrame({"value": [] if value is None else [value]})

    monkeypatch.setattr(Metrics, "query", query)
    return asked


def test_a_rate_is_set_against_the_record(monkeypatch: pytest.MonkeyPatch, recording: Recording) -> None:
    """Nine where ten were answered is a tenth off; each trial asks at a moment of its own, with its window within the load."""
    asked = _answers(monkeypatch, 9.0)
    found = rates.rates(recording, 4 * [{"load": "steady", "window": "8 s"}])
    moments = [at for _, at in asked]

    assert [row["off"] for row in found] == pytest.approx(4 * [10.0])
    assert [row["has_value"] for row in found] == 4 * [1]
    assert len(set(moments)) == 4
    assert min(moments) - _seconds(8) >= START and max(moments) <= START + _seconds(40)


def test_a_window_around_a_restart_holds_it(monkeypatch: pytest.MonkeyPatch, recording: Recording) -> None:
    """With half of the requests answered, a rate of five is right only where the restart is in the middle."""
    asked = _answers(monkeypatch, 5.0)
    found = rates.rates(recording, 3 * [{"load": "with a restart", "window": "8 s"}])
    crash = recording.crash

    assert all(at - _seconds(8) < crash < at for _, at in asked)
    assert found[1]["off"] == pytest.approx(0, abs=3)
    assert found[0]["off"] > 10 and found[2]["off"] > 10


def test_no_value_is_no_deviation(monkeypatch: pytest.MonkeyPatch, recording: Recording) -> None:
    """The result says that there is none, and has no figure of how far it is off."""
    _answers(monkeypatch, None)

    assert rates.rates(recording, [{"load": "steady", "window": "2 s"}]) == [{"has_value": 0}]


def test_each_trial_of_a_percentile_has_requests_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load is divided: each trial asks for its own stretch, and compares with the requests that were answered in it."""
    times = [START + _seconds(i / 10) for i in range(400)]
    latency = [0.010 if time < START + _seconds(20) else 0.020 for time in times]
    sent = pd.DataFrame({"time": times, "answered": times, "app": "late-12", "ok": True, "latency": latency})
    recording = Recording(Metrics(None), Namespace(), sent, START)  # type: ignore[arg-type]
    asked: list[tuple[str, pd.Timestamp]] = []

    def value(_: object, expression: str, *, at: pd.Timestamp) -> float:
        asked.append((expression, at))
        return 0.015

    monkeypatch.setattr(Metrics, "value", value)
    monkeypatch.setattr(Metrics, "query", lambda *_, **__: pd.DataFrame({"le": ["0.005", "0.0175", "0.025"]}))
    found = rates.quantiles(recording, 2 * [{"delay": "12 ms", "quantile": "p50"}])

    assert [round(row["actual"]) for row in found] == [10, 20]
    assert [row["off"] for row in found] == pytest.approx([50, 25])
    assert [row["in_bucket"] for row in found] == [1, 0]
    assert [at for _, at in asked] == [(recording.start + (recording.end - recording.start) / 2), recording.end]
    assert all("[17s]" in expression for expression, _ in asked)


def test_a_change_is_seen_by_the_first_sample_that_counts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three by the scrape after a second, with what the scrape took; the third by the next."""
    at = [START + _seconds(i) for i in range(1, 4)]
    series: dict[str, list[Any]] = {"http": [2.0, 2.0, 3.0], "scrape": [0.01, 0.02, 0.03]}

    def samples(_: object, selector: str, __: int) -> pd.DataFrame:
        return pd.DataFrame({"time": at, "value": series[selector.partition("_")[0]]})

    monkeypatch.setattr(Metrics, "samples", samples)
    monkeypatch.setattr(Metrics, "until", lambda *_: None)
    monkeypatch.setattr(scrapes, "requests", lambda *_: MOMENTS)
    found = scrapes._seen(Metrics(None), Namespace(), "pod", 3, 2.0)  # type: ignore[arg-type]

    assert [row["seen"] for row in found] == pytest.approx([0.91, 0.11, 1.08])
    assert [row["of_interval"] for row in found] == pytest.approx([45.5, 5.5, 54.0])
    assert {row["predicted"] for row in found} == {1.0}
