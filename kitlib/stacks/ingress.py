"""The cluster's way in: Traefik, serving Ingress, ingress-nginx's annotations and the Gateway API (cluster/stacks/ingress).

Apart from its namespace the stack has objects of the whole cluster: custom resource definitions, roles, classes.  All carry the kit's
mark, and go with `remove`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from kitlib import paths
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError
from kitlib.host import proc, tools
from kitlib.kube import forward, wait
from kitlib.kube.client import Object
from kitlib.kube.connection import Answer
from kitlib.stacks import base
from kitlib.workloads import route_manifests

STACK = base.Stack("ingress", images=("traefik",))
MODULE = "sigs.k8s.io/gateway-api"
DEFINITIONS = (
    "gatewayclasses",
    "gateways",
    "httproutes",
    "grpcroutes",
    "tlsroutes",
    "tcproutes",
    "referencegrants",
    "backendtlspolicies",
)
PORTS = {"http": 8000, "https": 8443}  # of Traefik's pod
UNKNOWN = "404 page not found\n"  # Traefik's own answer where no rule fits
SECONDS = 120


@dataclass(frozen=True)
class IngressController:
    """Traefik, running."""

    namespace: Namespace

    def ask(self, host: str, path: str, *, method: str = "GET", trust: str | None = None) -> Answer:
        """One request from outside, as a client of `host` sends it; over TLS if authorities to trust are given (PEM)."""
        return forward.request(self._port("https" if trust else "http"), host, path, method=method, trust=trust)

    def publish(self, namespace: Namespace, *rules: Object) -> None:
        """Apply rules to a namespace; returns when they are in force.  Raises WaitTimeout for one that Traefik does not take."""
        namespace.apply(*rules)
        for rule in rules:
            self.settle(namespace, rule)

    def settle(self, namespace: Namespace, rule: Object, seconds: float = 20) -> None:
        """Wait until Traefik has taken a rule, and then until it follows it.  Raises WaitTimeout when it does not take it.

        The rule's status is written a moment before the rule is in force, and no event tells of that moment: hence the requests.
        """
        kind, name = rule["kind"], rule["metadata"]["name"]
        wait.until(namespace.cluster.kube, kind, name, namespace.name, done=accepted, what="accepted", seconds=seconds)
        host, path = route_manifests.entrance(rule)
        deadline = time.monotonic() + seconds
        while self.ask(host, path).body == UNKNOWN and time.monotonic() < deadline:
            pass  # a request takes long enough to limit the rate

    def certificate(self, host: str, trust: str) -> dict[str, object]:
        """The fields of the certificate that Traefik shows to clients of `host`."""
        return forward.certificate(self._port("https"), host, trust)

    def remove(self) -> None:
        """Remove it with everything that belongs to it, including all routes in any namespace; returns when it is gone."""
        base.remove(self.namespace.cluster, STACK)

    def _port(self, scheme: str) -> forward.Target:
        kube = self.namespace.cluster.kube
        found = kube.list("Pod", self.namespace.name, labels="app.kubernetes.io/name=traefik")
        ready = [p["metadata"]["name"] for p in found if wait.condition("Ready")(p)]
        if not ready:
            raise ClusterError("Traefik does not run", hint="kit.stacks.ingress.install(cluster)")
        return forward.Target(kube, self.namespace.name, ready[0], PORTS[scheme])


def install(cluster: Cluster) -> IngressController:
    """Install Traefik and wait until it is ready; existing parts are kept.

    Raises NotOurs, before anything is done, when a cluster-wide object that it needs exists and is not the kit's.
    """
    namespace = base.install(cluster, STACK, definitions=list(_definitions()))
    programmed = wait.condition("Programmed")
    wait.until(cluster.kube, "Gateway", "kit", namespace.name, done=programmed, what="Programmed", seconds=SECONDS)
    return IngressController(namespace)


def find(cluster: Cluster) -> IngressController | None:
    """Traefik if it was installed."""
    namespace = base.find(cluster, STACK)
    return IngressController(namespace) if namespace else None


def accepted(route: Object | None) -> bool:
    """For `wait.until`: the controller has taken an Ingress or an HTTPRoute, and knows the Services that it names."""
    status = (route or {}).get("status", {})
    if (route or {}).get("kind") == "Ingress":
        return bool(status.get("loadBalancer", {}).get("ingress"))
    current = (route or {}).get("metadata", {}).get("generation")
    parents = [parent["conditions"] for parent in status.get("parents", ())]
    said = [
        {c["type"]: c["status"] for c in conditions if c.get("observedGeneration") == current} for conditions in parents
    ]
    return bool(said) and all(s.get("Accepted") == s.get("ResolvedRefs") == "True" for s in said)


def fetch() -> Path:
    """The Gateway API's module, downloaded if it is not there, and checked against the committed checksum."""
    argv: list[str | Path] = [tools.go(), "mod", "download", "-json", MODULE]
    return Path(
        json.loads(
            proc.run(argv, cwd=paths.ROOT / "cluster" / "stacks" / STACK.name / "gateway-api", env=tools.go_env())
        )["Dir"]
    )


def _definitions() -> Iterator[Object]:
    folder = fetch()
    labels = {
        "app.kubernetes.io/name": "gateway-api",
        "app.kubernetes.io/instance": STACK.instance,
        "app.kubernetes.io/version": folder.name.rpartition("@v")[2],
        "app.kubernetes.io/component": "definition",
    }
    for plural in DEFINITIONS:
        text = (folder / f"config/crd/standard/gateway.networking.k8s.io_{plural}.yaml").read_text()
        definition = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        definition["metadata"].setdefault("labels", {}).update(labels)
        yield definition
