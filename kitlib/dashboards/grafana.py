"""Dashboards as Grafana's JSON, by Grafana's own library for it."""

from __future__ import annotations

from itertools import count

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard as Builder
from grafana_foundation_sdk.builders.dashboard import QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

from kitlib.dashboards import ALL
from kitlib.dashboards.definitions import EVERYTHING, Dashboard, Panel
from kitlib.kube import kustomize

FOLDER = kustomize.CLUSTER / "stacks" / "grafana" / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="kit-prometheus")  # as provisioned in cluster/stacks/grafana
WIDTH, HEIGHT = 12, 8  # of 24 columns


def rendered() -> dict[str, str]:
    """File name → text."""
    return {
        f"{name}.json": JSONEncoder(sort_keys=True, indent=2).encode(built(it).build()) + "\n"
        for name, it in ALL.items()
    }


def built(dashboard: Dashboard) -> Builder:
    """The last quarter of an hour, looked at every five seconds; a namespace to choose."""
    builder = Builder(dashboard.title).uid(dashboard.name).tags(["kit"]).refresh("5s").time("now-15m", "now")
    builder = builder.readonly().with_variable(_namespaces())
    numbers = count(1)  # Grafana tells panels apart by them
    for title, panels in dashboard.rows:
        builder = builder.with_row(Row(title).id(next(numbers)))
        for panel in panels:
            builder = builder.with_panel(_panel(panel).id(next(numbers)))
    return builder


def _namespaces() -> QueryVariable:
    variable = (
        QueryVariable("namespace").label("Namespace").datasource(SOURCE).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
    return variable.query("label_values(kube_pod_info, namespace)").include_all(True).all_value(EVERYTHING)


def _panel(panel: Panel) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )
    builder = timeseries.Panel().title(panel.title).description(panel.about).unit(panel.unit).min(0).datasource(SOURCE)
    builder = builder.span(WIDTH).height(HEIGHT).fill_opacity(10).legend(legend)
    for number, query in enumerate(panel.queries):
        target = Dataquery().expr(query.expression).legend_format(query.legend).ref_id("ABCDEF"[number])
        builder = builder.with_target(target.range().datasource(SOURCE))
    return builder
