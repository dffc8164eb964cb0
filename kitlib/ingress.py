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

from kitlib import forward, kustomize, paths, proc, routes, tools, wait
from kitlib.cluster import Cluster, Space
from kitlib.errors import ApiError, ClusterError, NotOurs
from kitlib.kube import Object, Ref
from kitlib.owner import LABEL
from kitlib.podproxy import Answer

STACK = paths.ROOT / "cluster" / "stacks" / "ingress"
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
SPACE = "ingress"
INSTANCE = f"kit-{SPACE}"
PORTS = {"http": 8000, "https": 8443}  # of Traefik's pod
UNKNOWN = "404 page not found\n"  # Traefik's own answer where no rule fits
SECONDS = 120


@dataclass(frozen=True)
class Edge:
    """Traefik, running."""

    space: Space

    def ask(self, host: str, path: str, *, method: str = "GET", trust: str | None = None) -> Answer:
        """One request from outside, as a client of `host` sends it; over TLS if authorities to trust are given (PEM)."""
        return forward.request(self._port("https" if trust else "http"), host, path, method=method, trust=trust)

    def publish(self, space: Space, *rules: Object) -> None:
        """Apply rules to a namespace; returns when they are in force.  Raises WaitTimeout for one that Traefik does not take."""
        space.apply(*rules)
        for rule in rules:
            self.settle(space, rule)

    def settle(self, space: Space, rule: Object, seconds: float = 20) -> None:
        """Wait until Traefik has taken a rule, and then until it follows it.  Raises WaitTimeout when it does not take it.

        The rule's status is written a moment before the rule is in force, and no event tells of that moment: hence the requests.
        """
        kind, name = rule["kind"], rule["metadata"]["name"]
        wait.until(space.cluster.kube, kind, name, space.name, done=accepted, what="accepted", seconds=seconds)
        host, path = routes.entrance(rule)
        deadline = time.monotonic() + seconds
        while self.ask(host, path).body == UNKNOWN and time.monotonic() < deadline:
            pass  # a request takes long enough to be no burden

    def certificate(self, host: str, trust: str) -> dict[str, object]:
        """What the certificate says that Traefik shows to clients of `host`."""
        return forward.certificate(self._port("https"), host, trust)

    def remove(self) -> None:
        """Take it away with everything that belongs to it, all routes in any namespace included; returns when it is gone."""
        self.space.undo()
        cluster = self.space.cluster
        refs = [ref for ref in _spread(cluster) if cluster.kube.delete(ref)]
        for ref in refs:
            wait.until(cluster.kube, ref.kind, ref.name, done=wait.gone, what="gone", seconds=SECONDS)

    def _port(self, scheme: str) -> forward.Target:
        kube = self.space.cluster.kube
        found = kube.list("Pod", self.space.name, labels="app.kubernetes.io/name=traefik")
        ready = [p["metadata"]["name"] for p in found if wait.condition("Ready")(p)]
        if not ready:
            raise ClusterError("Traefik does not run", hint="kit.ingress.install(cluster)")
        return forward.Target(kube, self.space.name, ready[0], PORTS[scheme])


def install(cluster: Cluster) -> Edge:
    """Make Traefik be there and ready; what is there already is kept.

    Raises NotOurs, before anything is done, when something of the whole cluster that it needs is there and another's.
    """
    definitions, stack = list(_definitions()), _stack(cluster)
    _refuse_foreign(cluster, [*definitions, *(m for m in stack if "namespace" not in m["metadata"])])
    space = cluster.space(SPACE)
    for ref in space.apply(*definitions):
        wait.until(cluster.kube, ref.kind, ref.name, done=wait.condition("Established"), what="established")
    space.apply(*stack)
    edge = Edge(space)
    for kind, name, state in (("Deployment", "traefik", "Available"), ("Gateway", "kit", "Programmed")):
        wait.until(cluster.kube, kind, name, space.name, done=wait.condition(state), what=state, seconds=SECONDS)
    return edge


def find(cluster: Cluster) -> Edge | None:
    """Traefik if it was installed."""
    space = Space.find(cluster, SPACE)
    return Edge(space) if space else None


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
    return Path(json.loads(proc.run(argv, cwd=STACK / "gateway-api", env=tools.go_env()))["Dir"])


def _definitions() -> Iterator[Object]:
    folder = fetch()
    labels = {
        "app.kubernetes.io/name": "gateway-api",
        "app.kubernetes.io/instance": INSTANCE,
        "app.kubernetes.io/version": folder.name.rpartition("@v")[2],
        "app.kubernetes.io/component": "definition",
    }
    for plural in DEFINITIONS:
        text = (folder / f"config/crd/standard/gateway.networking.k8s.io_{plural}.yaml").read_text()
        definition = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        definition["metadata"].setdefault("labels", {}).update(labels)
        yield definition


def _stack(cluster: Cluster) -> list[Object]:
    name, _, tag = cluster.image("traefik").rpartition(":")
    image = {"name": "traefik", "newName": name, "newTag": tag}
    return kustomize.render({"resources": ["stacks/ingress"], "images": [image]})


def _refuse_foreign(cluster: Cluster, manifests: list[Object]) -> None:
    for manifest in manifests:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        try:
            found = cluster.kube.get(kind, name)
        except ApiError as e:
            if e.status != 404:
                raise
            continue  # the kind itself is yet to come
        if found and found["metadata"].get("labels", {}).get(LABEL) != cluster.owner.mark:
            raise NotOurs(f"{kind}/{name} exists and was not made by the kit; it was left alone")


def _spread(cluster: Cluster) -> list[Ref]:
    """The kit's objects of this stack that are in no namespace; the GatewayClass is not among them, as it goes with its definition."""
    labels = f"{LABEL}={cluster.owner.mark},app.kubernetes.io/instance={INSTANCE}"
    kinds = ("IngressClass", "ClusterRoleBinding", "ClusterRole", "CustomResourceDefinition")
    return [Ref.of(found) for kind in kinds for found in cluster.kube.list(kind, labels=labels)]
