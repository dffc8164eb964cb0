"""Dashboards as code: what each panel asks is written once; Grafana's JSON and the notebook's figures are made of it.

red.py, use.py   rate, errors and duration of goapp; utilisation, saturation and errors of nodes and containers
definitions.py   what a dashboard is made of
grafana.py       the same as Grafana's JSON
"""

from __future__ import annotations

from collections.abc import Mapping

from kitlib.dashboards.definitions import Dashboard, Panel, Query
from kitlib.dashboards.red import RED
from kitlib.dashboards.use import USE

__all__ = ["ALL", "RED", "USE", "Dashboard", "Panel", "Query"]

ALL: Mapping[str, Dashboard] = {dashboard.name: dashboard for dashboard in (RED, USE)}
