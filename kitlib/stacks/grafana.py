"""Grafana on the stack of the metrics, with its data sources and the kit's dashboards; only where its image can be pulled."""

from __future__ import annotations

from IPython.display import Markdown

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.dashboards import Dashboard
from kitlib.stacks import base, pages
from kitlib.stacks.pages import Site

STACK = base.Stack("grafana", images=("grafana",))
PORT = 3000


def install(cluster: Cluster) -> Namespace:
    """Install Grafana and wait until it is ready; a client that reaches its port may read everything and change nothing.

    Raises SupplyError where its image can only be pulled and is not.
    """
    return base.install(cluster, STACK)


def page(cluster: Cluster, dashboard: Dashboard, *, namespace: str = "") -> Site | Markdown:
    """One of the kit's dashboards, of one namespace or all."""
    chosen = f"&var-namespace={namespace}" if namespace else ""
    return pages.of(cluster, STACK, "deployment/grafana", PORT, f"/d/{dashboard.name}?kiosk{chosen}")


def remove(cluster: Cluster) -> None:
    """Remove it; it keeps nothing."""
    base.remove(cluster, STACK)
