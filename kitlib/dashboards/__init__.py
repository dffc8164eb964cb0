"""Dashboards as code: each panel's queries are written once; Grafana's JSON and the notebook's figures are made from them.

red.py, use.py   rate, errors and duration of goapp; utilisation, saturation and errors of nodes and containers
definitions.py   the parts of a dashboard
grafana.py       the same as Grafana's JSON
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kitlib import lazy
from kitlib.dashboards.definitions import Dashboard, Panel, Query
from kitlib.dashboards.red import RED
from kitlib.dashboards.use import USE

__all__ = ["ALL", "RED", "USE", "Dashboard", "Panel", "Query"]

ALL: Mapping[str, Dashboard] = {dashboard.name: dashboard for dashboard in (RED, USE)}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
