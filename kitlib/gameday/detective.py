"""Which fault is it?  Found as an engineer on call would: by the alerts that arrive, and where the trail of one of them leads."""

from __future__ import annotations

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.gameday.faults import ALL, Fault
from kitlib.gameday.trail import Trail, follow
from kitlib.stacks.signals import Signals
from kitlib.telemetry import polling

SECONDS = 60


def suspects(deliveries: pd.DataFrame) -> list[Fault]:
    """The faults whose own alert is among these; an alert that also fires for a service that waits for another one gives several."""
    seen = set(zip(deliveries["alert"], deliveries["app"], strict=True))
    return [fault for fault in ALL if (fault.alert, fault.app) in seen]


def find(namespace: Namespace, signals: Signals, *, seconds: float = SECONDS) -> tuple[Fault, Trail]:
    """The fault in a chain, and the trail that proves it: the one suspect at whose service the trail of its own alert ends.

    Raises WaitTimeout when no alert arrives that does.
    """
    failure = f"no alert about {namespace.name} leads to a fault"
    hint = "is there load? `signals.metrics.alerts()` shows what is pending"
    convicted = polling.until(
        lambda: _convicted(namespace, signals),
        lambda them: len(them) > 0,
        failure=lambda _: failure,
        seconds=seconds,
        hint=hint,
    )
    return convicted[0]


def _convicted(namespace: Namespace, signals: Signals) -> list[tuple[Fault, Trail]]:
    found = signals.metrics.deliveries()
    mine = found[(found["namespace"] == namespace.name) & (found["status"] == "firing")]
    trails = [(fault, _followed(_own(mine, fault), signals)) for fault in suspects(mine)]
    return [(fault, trail) for fault, trail in trails if trail and trail.service == fault.service]


def _followed(alert: pd.Series, signals: Signals) -> Trail | None:
    """The trail, or None where it breaks off: the trail of another alert, or of this one a moment later, may not."""
    try:
        return follow(alert, signals)
    except WaitTimeout:
        return None


def _own(alerts: pd.DataFrame, fault: Fault) -> pd.Series:
    return alerts[(alerts["alert"] == fault.alert) & (alerts["app"] == fault.app)].iloc[0]
