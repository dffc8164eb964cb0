"""From Prometheus' JSON to rows: labels, moments, values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

LABELS = ("namespace", "app", "pod", "container", "job", "instance", "severity")  # columns of alerts
WORDS = ("summary", "runbook", "exemplars")  # its annotations; exemplars: the series of the requests that it is about


def frame(points: list[tuple[Mapping[str, str], float, str]]) -> pd.DataFrame:
    """Labels, time and value.  Prometheus writes values as texts, NaN and +Inf among them."""
    names = dict.fromkeys(name for labels, _, _ in points for name in labels)
    rows = [
        {**labels, "time": pd.Timestamp(at, unit="s", tz="UTC"), "value": float(value)} for labels, at, value in points
    ]
    return pd.DataFrame(rows, columns=[*names, "time", "value"])


def described(alert: Mapping[str, Any]) -> dict[str, str]:
    """LABELS and WORDS of an alert, as Prometheus and Alertmanager both write it; "" where one is missing."""
    labels, words = alert["labels"], alert["annotations"]
    return {
        **{name: labels.get(name, "") for name in LABELS},
        **{name: words.get(name, "") for name in WORDS},
    }


def moment(text: str) -> pd.Timestamp:
    """A time as Go writes it; Go's zero, the year 1, becomes NaT."""
    return pd.NaT if text.startswith("0001-") else pd.Timestamp(text).tz_convert("UTC")
