"""Kibana on the stack of the logs, with a data view, two searches and a dashboard; only where its image can be pulled."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from IPython.display import Markdown

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError
from kitlib.kube import kustomize
from kitlib.kube.client import mapped
from kitlib.stacks import base, pages
from kitlib.stacks.pages import Site

STACK = base.Stack("kibana", images=("kibana",))
OBJECTS = kustomize.CLUSTER / "stacks" / STACK.name / "saved-objects.ndjson"
DASHBOARD = "kit-logs"  # its id among them
PORT = 5601
SECONDS = 60


@dataclass(frozen=True)
class Kibana:
    """Kibana, running."""

    namespace: Namespace

    def load(self) -> None:
        """Import the committed objects; existing ones are overwritten.  Raises ClusterError with Kibana's message."""
        (pod,) = self.namespace.cluster.kube.list("Pod", self.namespace.name)
        path = f"/api/v1/namespaces/{self.namespace.name}/pods/{pod['metadata']['name']}:{PORT}/proxy/api/saved_objects/_import"
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{OBJECTS.name}"\r\n\r\n'
        data = head.encode() + OBJECTS.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "kbn-xsrf": "kit"}
        with mapped("importing saved objects"):
            answer = self.namespace.cluster.kube.connection.send(
                "POST", path, query={"overwrite": "true"}, data=data, headers=headers, seconds=SECONDS, check=False
            )
        if answer.status >= 400 or not answer.json().get("success"):
            raise ClusterError(
                f"Kibana does not take {OBJECTS.name}", observed=[answer.data.decode(errors="replace")[:500]]
            )


def install(cluster: Cluster) -> Kibana:
    """Install Kibana with its objects, and wait until it is ready.  Raises SupplyError where its image can only be pulled and is not."""
    kibana = Kibana(base.install(cluster, STACK))
    kibana.load()
    return kibana


def page(cluster: Cluster) -> Site | Markdown:
    """The dashboard of the logs."""
    return pages.of(cluster, STACK, "deployment/kibana", PORT, f"/app/dashboards#/view/{DASHBOARD}?embed=true")


def remove(cluster: Cluster) -> None:
    """Remove it; its objects are in Elasticsearch, and are removed with that."""
    base.remove(cluster, STACK)
