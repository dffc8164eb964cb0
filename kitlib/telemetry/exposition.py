"""What a program says of itself on /metrics, as rows: for those who ask a pod, without Prometheus."""

from __future__ import annotations

import re

import pandas as pd

SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*?)\})? (?P<value>[^\s{}]+)", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def samples(text: str) -> pd.DataFrame:
    """A row a sample, in the order of the text: name, labels (dict), value."""
    rows = [(s["name"], dict(LABEL.findall(s["labels"] or "")), float(s["value"])) for s in SAMPLE.finditer(text)]
    return pd.DataFrame(rows, columns=["name", "labels", "value"])


def totals(text: str) -> dict[str, float]:
    """Every sample's value by its name, summed over labels; a counter keeps its suffix."""
    return {str(name): float(value) for name, value in samples(text).groupby("name")["value"].sum().items()}
