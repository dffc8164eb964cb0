"""Grafana on the stack of the metrics, with its data sources and the kit's dashboards; only where its image can be pulled."""

from __future__ import annotations

from dataclasses import dataclass

from kitlib.cluster import Cluster, Space
from kitlib.dashboards import Dashboard
from kitlib.stacks import base

STACK = base.Stack("grafana", images=("grafana",))
PORT = 3000


@dataclass(frozen=True)
class Grafana:
    """Grafana, running; whoever reaches its port may look at everything and change nothing."""

    space: Space

    @property
    def command(self) -> str:
        """What opens it on this machine, at `address`."""
        return f"kubectl -n {self.space.name} port-forward deployment/grafana {PORT}"

    def address(self, dashboard: Dashboard, *, namespace: str = "") -> str:
        """Of a dashboard, while `command` runs.  It may be embedded: IPython.display.IFrame."""
        chosen = f"&var-namespace={namespace}" if namespace else ""
        return f"http://localhost:{PORT}/d/{dashboard.name}?kiosk{chosen}"


def install(cluster: Cluster) -> Grafana:
    """Make Grafana be there and ready.  Raises SupplyError where its image can only be pulled and is not."""
    return Grafana(base.install(cluster, STACK))


def remove(cluster: Cluster) -> None:
    """Take it away; it keeps nothing."""
    base.remove(cluster, STACK)
