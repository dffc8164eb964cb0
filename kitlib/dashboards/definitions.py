"""The parts of a dashboard: panels, and their queries to Prometheus."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SCRAPE = 5  # seconds: the longest interval of cluster/stacks/metrics; the data sources have the same setting
NAMESPACE, WINDOW = "$namespace", "$__rate_interval"
EVERYTHING = "kit-.+"  # what $namespace is when none is chosen
UNITS: Mapping[str, tuple[float, str]] = {  # Grafana's name of a unit: how the kit writes it, and by what it multiplies
    "reqps": (1, "requests/s"),
    "percentunit": (100, "%"),
    "s": (1e3, "ms"),
    "bytes": (1e-6, "MB"),
    "Bps": (1e-3, "kB/s"),
    "cores": (1, "cores"),
    "short": (1, ""),
}


@dataclass(frozen=True)
class Query:
    """An expression in PromQL; legend: of a series, with labels in double braces."""

    expression: str
    legend: str

    def filled(self, *, namespace: str = EVERYTHING, step: float = SCRAPE) -> str:
        """The expression without variables.  step: seconds between two points of the figure.

        $__rate_interval as Grafana has it: long enough for four scrapes, and for no sample to fall between two points.
        """
        window = max(step + SCRAPE, 4 * SCRAPE)
        return self.expression.replace(NAMESPACE, namespace).replace(WINDOW, f"{window:.0f}s")

    def named(self, labels: Mapping[str, str]) -> str:
        """The legend of a series with these labels, as Grafana writes it."""
        return re.sub(r"\{\{(\w+)\}\}", lambda found: str(labels.get(found[1], "")), self.legend)


@dataclass(frozen=True)
class Panel:
    """One figure.  unit: Grafana's word for it, one of UNITS."""

    title: str
    about: str
    unit: str
    queries: tuple[Query, ...]


@dataclass(frozen=True)
class Dashboard:
    """name: of its file, and its uid in Grafana.  rows: title of a row → its panels."""

    name: str
    title: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, row by row."""
        return tuple(panel for _, panels in self.rows for panel in panels)
