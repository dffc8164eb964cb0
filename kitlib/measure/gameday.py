"""Faults as trials of an experiment: how soon they are told and mended, and whether their alerts lead to them."""

from __future__ import annotations

from kitlib.gameday.rounds import UNITS as ROUNDS
from kitlib.gameday.rounds import GameDay

UNITS = {**ROUNDS, "requests": "0/1", "spans": "count", "lines": "lines"}


def trail(day: GameDay, fault: str) -> dict[str, float]:
    """found: 1 when the alert's trail ends at the service at fault.  requests: 1 when a request told.  spans: of its trace.

    lines: log lines on the way, of the trace or of the pod that the alert names; left out where the alert names a Service or a target.
    """
    followed = day.trail(fault)
    played = day.rounds[fault].fault
    values = {
        "found": float(followed.service == played.service),
        "requests": float(followed.request is not None),
        "spans": len(followed.spans),
    }
    return {**values, "lines": len(followed.lines)} if played.told in ("requests", "pod") else values
