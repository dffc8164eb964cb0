"""Exercises of 3.3-service-ingress: two instances of goapp in a namespace, and the way to them is the learner's to make."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.measure.workloads.routes import arrived, instance
from kitlib.stacks import ingress
from kitlib.workloads import app, route_manifests

CHAPTER = "3.3-service-ingress"
BROKEN = {"app": "shop"}  # as the guide labels pods; goapp's carry the recommended labels
SECONDS = 10


class _Scene(Exercise):
    """An exercise in a namespace of its own, where `shop` and `stock` run; scene() puts them there."""

    namespace_name: str
    replicas: ClassVar[dict[str, int]] = {"shop": 1, "stock": 1}

    def scene(self) -> Namespace:
        """Set the exercise up, and return its namespace; what is there already stays."""
        namespace = self.cluster.namespace(self.namespace_name)
        image = self.cluster.image("goapp-distroless")
        for name, count in self.replicas.items():
            namespace.apply(*app.manifests(name, image, replicas=count, treatments=["quick-exit"]))
        for name in self.replicas:
            app.roll_out(namespace, name)
        return namespace

    def check(self) -> Outcome:
        """Look whether the namespace exists, then judge what is in it."""
        namespace = Namespace.find(self.cluster, self.namespace_name)
        return self.judge(namespace) if namespace else NOT_ATTEMPTED

    @abstractmethod
    def judge(self, namespace: Namespace) -> Outcome:
        """Judge what is in the namespace."""

    def reset(self) -> None:
        """Remove the namespace."""
        if namespace := Namespace.find(self.cluster, self.namespace_name):
            namespace.undo()


class Selector(_Scene):
    """A Service that selects no pod."""

    name = f"{CHAPTER}/selector"
    namespace_name = "exercise-selector"
    replicas: ClassVar[dict[str, int]] = {"shop": 2, "stock": 1}
    task = (
        f'`namespace = kit.exercise("{name}").scene()` sets up two instances of goapp, `shop` and `stock`, and a Service `front` that '
        "leads nowhere. Mend the Service, not the pods: it must lead to all pods of `shop`, and to no others."
    )
    hints = (
        "A Service finds its pods by labels. Which labels do the pods have, and which does the Service ask for?",
        "`kubectl get pods -n kit-exercise-selector --show-labels` and `kubectl describe service front -n "
        "kit-exercise-selector` show both sides. One label has the same value for all pods of `shop`, and another value "
        "for `stock`.",
        "Replace the Service's `spec.selector` by `app.kubernetes.io/instance: shop` alone, with `kubectl edit` or by "
        "applying a whole manifest: the old label has to go.",
    )
    solution_text = (
        f'namespace = kit.exercise("{name}").scene()\n'
        'namespace.apply(kit.workloads.route_manifests.service("front", "shop"))'
    )

    def scene(self) -> Namespace:
        """Set up `shop`, `stock` and a Service `front` that selects no pod; returns the namespace."""
        namespace = super().scene()
        if not namespace.cluster.kube.get("Service", "front", namespace.name):
            namespace.apply(route_manifests.service("front", "shop", selector=BROKEN))
        return namespace

    def judge(self, namespace: Namespace) -> Outcome:
        """Look whether the Service leads to all pods of `shop`, and to no others."""
        found = namespace.cluster.kube.get("Service", "front", namespace.name)
        if found is None or found["spec"].get("selector") == BROKEN:
            return NOT_ATTEMPTED
        saw = f"Service/front selects {found['spec'].get('selector')}"
        reached = self._reached(namespace, found)
        if not reached:
            return failed(
                saw, "it has no ready endpoints", look="the labels of the pods: the selector must be some of them"
            )
        if others := {r for r in reached if r.rsplit("-", 2)[0] != "shop"}:
            return failed(
                saw, f"it leads to {', '.join(sorted(others))}, too", look="which label do only the pods of shop have?"
            )
        if len(reached) < self.replicas["shop"]:
            return failed(
                saw, f"it leads to {', '.join(sorted(reached))}", look="which label do all pods of shop have?"
            )
        return passed(saw, f"it leads to {', '.join(sorted(reached))}")

    def _reached(self, namespace: Namespace, service: Object) -> set[str]:
        """Names of the ready pods behind it, once the slices have caught up with the selector."""
        selector = ",".join(f"{k}={v}" for k, v in service["spec"]["selector"].items())
        pods = namespace.cluster.kube.list("Pod", namespace.name, labels=selector)
        wanted = {p["metadata"]["name"] for p in pods if wait.condition("Ready")(p)}
        seen: dict[str, set[str]] = {}
        labels = "kubernetes.io/service-name=front"
        for change, item in namespace.cluster.kube.watch(
            "EndpointSlice", namespace.name, labels=labels, seconds=SECONDS
        ):
            seen[item["metadata"]["name"]] = set() if change == "DELETED" else _targets(item)
            if set().union(*seen.values()) == wanted:
                return wanted
        return set().union(*seen.values())


class _Routed(_Scene):
    """An exercise whose answer are Ingresses or HTTPRoutes; it is judged by requests through Traefik."""

    def judge(self, namespace: Namespace) -> Outcome:
        """Wait until Traefik follows the namespace's rules, then judge by requests."""
        edge = ingress.find(self.cluster)
        kinds = ("Ingress", "HTTPRoute") if edge else ("Ingress",)
        rules = [rule for kind in kinds for rule in namespace.cluster.kube.list(kind, namespace.name)]
        if not rules:
            return NOT_ATTEMPTED
        if edge is None:
            return failed(
                f"{len(rules)} Ingresses",
                look="which program follows them? kit.stacks.ingress.install(cluster) installs it",
            )
        try:
            for rule in rules:
                edge.settle(namespace, rule, seconds=SECONDS)
        except WaitTimeout as e:
            return failed(e.message, *e.observed, look="its class or its Gateway, and the Services that it names")
        return self.ask(edge)

    @abstractmethod
    def ask(self, edge: ingress.IngressController) -> Outcome:
        """Judge by the answers to requests."""


class Hosts(_Routed):
    """Two hosts, one address."""

    name = f"{CHAPTER}/hosts"
    namespace_name = "exercise-hosts"
    hosts: ClassVar[dict[str, str]] = {"shop.example": "shop", "stock.example": "stock"}
    task = (
        f'`namespace = kit.exercise("{name}").scene()` sets up `shop` and `stock`. Send each host to its own: shop.example to `shop`, '
        "stock.example to `stock`, all paths, and no other host to either. Ingress or HTTPRoute, as you like."
    )
    hints = (
        "Each host needs a rule of its own, and no rule may be for every host.",
        "An Ingress has one entry of `spec.rules` per host; an HTTPRoute has `spec.hostnames`. Both name a path, `/` "
        "with the type of a prefix, and a Service with its port.",
        "For `shop.example`: host `shop.example`, path `/`, type Prefix, Service `shop`, port 80; the same for `stock`. "
        "The Ingress class, or the parent Gateway, is the one that the chapter uses.",
    )
    solution_text = (
        "route_manifests = kit.workloads.route_manifests\n"
        "edge = kit.stacks.ingress.install(cluster)\n"
        f'namespace = kit.exercise("{name}").scene()\n'
        'edge.publish(namespace, route_manifests.http_route("shop", "shop.example", {"/": "shop"}))\n'
        'edge.publish(namespace, route_manifests.http_route("stock", "stock.example", {"/": "stock"}))'
    )

    def ask(self, edge: ingress.IngressController) -> Outcome:
        """Send a request for each host, and one for a host that has no rule."""
        saw = []
        for host, wanted in self.hosts.items():
            answer = edge.ask(host, "/items")
            saw.append(f"http://{host}/items: {answer.status} from {instance(answer) or 'Traefik'}")
            if not instance(answer):
                return failed(*saw, look=f"no rule leads {host} anywhere: its host, and its path")
            if instance(answer) != wanted:
                return failed(*saw, look=f"the Service that the rule for {host} names")
        if served := instance(edge.ask("other.example", "/items")):
            return failed(
                *saw, f"http://other.example/items: {served} answers", look="a rule without a host is for all hosts"
            )
        return passed(*saw)


class Prefix(_Routed):
    """A prefix that the application does not know."""

    name = f"{CHAPTER}/prefix"
    namespace_name = "exercise-prefix"
    host = "api.example"
    task = (
        f'`namespace = kit.exercise("{name}").scene()` sets up `shop`, which knows /items and nothing of a prefix. Make api.example/v1 '
        "lead to it: /v1/items must list the items, /v1/items/1 must give the first."
    )
    hints = (
        "The application does not know the prefix. What has to happen to the path on its way?",
        "The rule has to take `/v1` away and leave the rest of the path as it is. An HTTPRoute can do so with a filter.",
        "The filter is `URLRewrite` with `path: {type: ReplacePrefixMatch, replacePrefixMatch: /}`, in the rule that "
        "matches the PathPrefix `/v1`.",
    )
    solution_text = (
        "route_manifests = kit.workloads.route_manifests\n"
        "edge = kit.stacks.ingress.install(cluster)\n"
        f'namespace = kit.exercise("{name}").scene()\n'
        f'edge.publish(namespace, route_manifests.http_route("api", "{host}", {{"/v1": "shop"}}, rewrite="prefix"))'
    )
    replicas: ClassVar[dict[str, int]] = {"shop": 1}

    def ask(self, edge: ingress.IngressController) -> Outcome:
        """Ask for the list of items and for the first item, both below the prefix."""
        saw = []
        for path in ("/v1/items", "/v1/items/1"):
            answer = edge.ask(self.host, path)
            saw.append(f"http://{self.host}{path}: {answer.status}, {str(answer.body).strip()[:80]}")
            if answer.status == 200:
                continue
            if arrived(answer) == path:
                return failed(*saw, look="the path reaches goapp with its prefix: who takes it away?")
            return failed(*saw, look="what is left of the path: only the prefix must go, not what follows it")
        return passed(*saw)


def _targets(endpoints: Object) -> set[str]:
    return {e["targetRef"]["name"] for e in endpoints.get("endpoints") or () if e["conditions"].get("ready")}
