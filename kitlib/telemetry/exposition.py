"""A program's own metrics at /metrics, as rows: read from a pod, without Prometheus."""

from __future__ import annotations

import pandas as pd
from prometheus_client.parser import text_string_to_metric_families


def samples(text: str) -> pd.DataFrame:
    """One row per sample: name, labels (dict), value.  Raises ValueError for what is no text of Prometheus' exposition format."""
    rows = [(s.name, s.labels, s.value) for family in text_string_to_metric_families(text) for s in family.samples]
    return pd.DataFrame(rows, columns=["name", "labels", "value"])


def totals(text: str) -> dict[str, float]:
    """Every sample's value by its name, summed over labels; a counter keeps its suffix."""
    return {str(name): float(value) for name, value in samples(text).groupby("name")["value"].sum().items()}
