"""What is made of a round, and of the alerts of a day, without a cluster."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from kitlib.errors import WaitTimeout
from kitlib.gameday import detective, faults, rounds
from kitlib.gameday.rounds import Round
from kitlib.gameday.trail import Trail
from kitlib.measure.signals import gameday

START = pd.Timestamp("2026-01-01", tz="UTC")


def at(seconds: float) -> pd.Timestamp:
    return START + pd.Timedelta(seconds=seconds)


def sent(hits: list[tuple[float, bool, float]]) -> pd.DataFrame:
    """Load results: when, whether it was answered well, after how many seconds."""
    return pd.DataFrame([(at(t), ok, latency) for t, ok, latency in hits], columns=["time", "ok", "latency"])


def delivered(*alerts: tuple[str, str, str]) -> pd.DataFrame:
    """Deliveries: alert, app, status."""
    return pd.DataFrame(alerts, columns=["alert", "app", "status"])


def played(name: str, **changed: Any) -> Round:
    """A round: fault after 1 s, alert at 11 s, repair at 12 s, its end at 40 s."""
    fault = faults.named(name)
    hits = [(0.5, False, 0.1), (2, False, 0.1), (3, True, 0.9), (4, True, 0.1), (13, False, 0.1), (14, True, 0.1)]
    given = {
        "injected": at(1),
        "delivered": at(11),
        "repaired": at(12),
        "resolved": at(40),
        "sent": sent(hits),
        "deliveries": delivered(("HighErrorRate", "backend", "firing"), ("HighLatency", "backend", "firing")),
    }
    return Round(fault, None, **{**given, **changed})  # type: ignore[arg-type]


def test_a_round_has_its_figures() -> None:
    """What failed before the fault does not count; a slow answer is none that is good."""
    assert played("errors").values() == {
        "detected": 10.0,
        "resolved": 28.0,
        "well": 1.0,
        "failed": 3,
        "delivered": 1.0,
        "alerts": 2,
    }


def test_what_did_not_come_has_no_figure() -> None:
    """An alert that was not delivered is a nought, and no number of seconds."""
    found = played("errors", delivered=pd.NaT, resolved=pd.NaT).values()

    assert found["delivered"] == 0
    assert {"detected", "resolved"} & found.keys() == set()


def test_a_suspect_is_known_by_its_own_alert() -> None:
    """Of a hang, the callers' latency makes a second suspect; an alert about another app makes none."""
    deliveries = delivered(("DownstreamSlow", "gateway", "firing"), ("HighLatency", "catalog", "firing"))
    others = delivered(("HighErrorRate", "gateway", "firing"))

    assert [fault.name for fault in detective.suspects(deliveries)] == ["delay", "hang"]
    assert detective.suspects(others) == []


def test_each_repeat_has_its_own_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trail of a round is followed before the next round; one that breaks off counts as not found."""
    services = iter(["backend", None, "gateway"])

    def follow(alert: pd.Series, _: Any) -> Trail:
        if (service := next(services)) is None:
            raise WaitTimeout("no trace")
        nothing = pd.DataFrame({"service": []})
        return Trail(alert, None, nothing, nothing, service, "because")

    monkeypatch.setattr(rounds, "play", lambda *_: played("errors"))
    monkeypatch.setattr(rounds, "follow", follow)
    day = rounds.GameDay(None, SimpleNamespace(metrics=None))  # type: ignore[arg-type]
    trials = [{"fault": "errors"}] * 3
    day.measure(trials)

    assert [values["found"] for values in gameday.trails(day, trials)] == [1.0, 0.0, 0.0]
