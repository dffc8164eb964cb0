"""The stack of the logs: Elasticsearch, and Filebeat on every node (cluster/stacks/logs and logs-nodes).

Fluent Bit (logs-fluent-bit) takes Filebeat's place where its image can be pulled; both make the same fields.
"""

from __future__ import annotations

import json

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError
from kitlib.host.console import say
from kitlib.kube import kustomize
from kitlib.stacks import base
from kitlib.telemetry import watermarks
from kitlib.telemetry.logs import Logs

STORE = base.Stack("logs", images=("elasticsearch",))
SHIPPER = base.Stack("logs-nodes", images=("filebeat",))
FLUENT_BIT = base.Stack("logs-fluent-bit", images=("fluent-bit",))
TEMPLATE = kustomize.CLUSTER / "stacks" / "logs" / "index-template.json"
DISK = "/var"  # on the node: what holds the volumes
ROOM = "make room on the disk that has the container engine's data; ./kit doctor says where it is, ./kit down --images frees the kit's own"
POSITIONS = ("/var/lib/kit-filebeat", "/var/lib/kit-fluent-bit")  # on the node: how far a shipper has read each file


def install(cluster: Cluster, shipper: base.Stack = SHIPPER) -> Logs:
    """Install both and wait until they are ready, with typed fields; existing parts are kept.

    shipper: or FLUENT_BIT.  Raises what `base.install` does, and ClusterError when a node's disk has less room than Elasticsearch leaves.
    """
    _room(cluster)
    logs = Logs(base.install(cluster, STORE))
    logs.ask("PUT", "_index_template/kit-logs", json.loads(TEMPLATE.read_text()))
    base.install(cluster, shipper)
    return logs


def _room(cluster: Cluster) -> None:
    """Refuse a disk on which Elasticsearch would run and accept nothing; warn of one on which it soon will."""
    for node in cluster.nodes:
        free, total = cluster.on_node("df", "--block-size=1", "--output=avail,size", DISK, node=node).split()[-2:]
        if (found := watermarks.passed(float(free), float(total), watermarks.declared())) is None:
            continue
        if found.serious:
            raise ClusterError(f"the disk of {node} has {found}", hint=ROOM)
        say(f"the disk of {node} has {found}; {ROOM}")


def find(cluster: Cluster) -> Logs | None:
    """The logs if the stack was installed."""
    namespace = base.find(cluster, STORE)
    return Logs(namespace) if namespace else None


def remove(cluster: Cluster, *beside: Namespace) -> None:
    """Remove both with all stored lines, and the shipper's files on the nodes; returns when they are gone.

    beside: namespaces that are removed at the same time.
    """
    base.remove_all(cluster, (SHIPPER, FLUENT_BIT, STORE), beside)
    for node in cluster.nodes:
        cluster.on_node("rm", "-rf", *POSITIONS, node=node)
