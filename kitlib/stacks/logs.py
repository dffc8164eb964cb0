"""The stack of the logs: Elasticsearch, and Filebeat on every node (cluster/stacks/logs and logs-nodes).

Fluent Bit (logs-fluent-bit) takes Filebeat's place where its image can be pulled; both make the same fields.
"""

from __future__ import annotations

import json

from kitlib import kustomize
from kitlib.cluster import Cluster, Space
from kitlib.stacks import base
from kitlib.telemetry.logs import Logs

STORE = base.Stack("logs", images=("elasticsearch",))
SHIPPER = base.Stack("logs-nodes", images=("filebeat",))
FLUENT_BIT = base.Stack("logs-fluent-bit", images=("fluent-bit",))
TEMPLATE = kustomize.CLUSTER / "stacks" / "logs" / "index-template.json"
POSITIONS = ("/var/lib/kit-filebeat", "/var/lib/kit-fluent-bit")  # on the node: how far a shipper has read each file


def install(cluster: Cluster, shipper: base.Stack = SHIPPER) -> Logs:
    """Make both be there and ready, with typed fields; what is there already is kept.  Raises what `base.install` does.

    shipper: or FLUENT_BIT.
    """
    logs = Logs(base.install(cluster, STORE))
    logs.ask("PUT", "_index_template/kit-logs", json.loads(TEMPLATE.read_text()))
    base.install(cluster, shipper)
    return logs


def find(cluster: Cluster) -> Logs | None:
    """The logs if the stack was installed."""
    space = base.find(cluster, STORE)
    return Logs(space) if space else None


def remove(cluster: Cluster, *beside: Space) -> None:
    """Take both away with all that was stored, and what the shipper kept on the nodes; returns when it is gone.

    beside: namespaces that go at the same time.
    """
    base.remove_all(cluster, (SHIPPER, FLUENT_BIT, STORE), beside)
    for node in cluster.nodes:
        cluster.on_node("rm", "-rf", *POSITIONS, node=node)
