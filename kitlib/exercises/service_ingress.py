"""Exercises of 3.3-service-ingress: two instances of goapp in a namespace, and the way to them is the learner's to make."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from kitlib import app, ingress, routes, wait
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import Object
from kitlib.measure.routes import arrived, instance

CHAPTER = "3.3-service-ingress"
BROKEN = {"app": "shop"}  # as the guide labels pods; goapp's carry the recommended labels
SECONDS = 10


class _Scene(Exercise):
    """An exercise in a namespace of its own, where `shop` and `stock` run; scene() puts them there."""

    space_name: str
    replicas: ClassVar[dict[str, int]] = {"shop": 1, "stock": 1}

    def scene(self) -> Space:
        """Set the exercise up, and return its namespace; what is there already stays."""
        space = self.cluster.space(self.space_name)
        image = self.cluster.image("goapp-distroless")
        for name, count in self.replicas.items():
            space.apply(*app.manifests(name, image, replicas=count, treatments=["quick-exit"]))
        for name in self.replicas:
            app.roll_out(space, name)
        return space

    def check(self) -> Outcome:
        space = Space.find(self.cluster, self.space_name)
        return self.judge(space) if space else NOT_ATTEMPTED

    @abstractmethod
    def judge(self, space: Space) -> Outcome:
        """Judge what is in the namespace."""

    def reset(self) -> None:
        if space := Space.find(self.cluster, self.space_name):
            space.undo()


class Selector(_Scene):
    """A Service that finds nobody."""

    name = f"{CHAPTER}/selector"
    space_name = "exercise-selector"
    replicas: ClassVar[dict[str, int]] = {"shop": 2, "stock": 1}
    task = (
        f'`space = kit.exercise("{name}").scene()` sets up two instances of goapp, `shop` and `stock`, and a Service `front` that '
        "leads nowhere. Mend the Service, not the pods: it must lead to all pods of `shop`, and to no others."
    )
    first_hint = (
        "`services.draw(space, 'front')` shows what it finds. Which labels do the pods have, and which does it ask for?"
    )
    solution_text = (
        "from kitlib import routes\n\n"
        f'space = kit.exercise("{name}").scene()\n'
        'space.apply(routes.service("front", "shop"))'
    )

    def scene(self) -> Space:
        space = super().scene()
        if not space.cluster.kube.get("Service", "front", space.name):
            space.apply(routes.service("front", "shop", selector=BROKEN))
        return space

    def judge(self, space: Space) -> Outcome:
        found = space.cluster.kube.get("Service", "front", space.name)
        if found is None or found["spec"].get("selector") == BROKEN:
            return NOT_ATTEMPTED
        saw = f"Service/front selects {found['spec'].get('selector')}"
        reached = self._reached(space, found)
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

    def _reached(self, space: Space, service: Object) -> set[str]:
        """Names of the ready pods behind it, once the slices have caught up with the selector."""
        selector = ",".join(f"{k}={v}" for k, v in service["spec"]["selector"].items())
        pods = space.cluster.kube.list("Pod", space.name, labels=selector)
        wanted = {p["metadata"]["name"] for p in pods if wait.condition("Ready")(p)}
        seen: dict[str, set[str]] = {}
        labels = "kubernetes.io/service-name=front"
        for change, item in space.cluster.kube.watch("EndpointSlice", space.name, labels=labels, seconds=SECONDS):
            seen[item["metadata"]["name"]] = set() if change == "DELETED" else _targets(item)
            if set().union(*seen.values()) == wanted:
                return wanted
        return set().union(*seen.values())


class _Routed(_Scene):
    """An exercise whose answer are Ingresses or HTTPRoutes; it is judged by requests through Traefik."""

    def judge(self, space: Space) -> Outcome:
        edge = ingress.find(self.cluster)
        kinds = ("Ingress", "HTTPRoute") if edge else ("Ingress",)
        rules = [rule for kind in kinds for rule in space.cluster.kube.list(kind, space.name)]
        if not rules:
            return NOT_ATTEMPTED
        if edge is None:
            return failed(f"{len(rules)} Ingresses", look="who follows them? kit.ingress.install(cluster)")
        try:
            for rule in rules:
                edge.settle(space, rule, seconds=SECONDS)
        except WaitTimeout as e:
            return failed(e.message, *e.observed, look="its class or its Gateway, and the Services that it names")
        return self.ask(edge)

    @abstractmethod
    def ask(self, edge: ingress.Edge) -> Outcome:
        """Judge by the answers to requests."""


class Hosts(_Routed):
    """Two hosts, one address."""

    name = f"{CHAPTER}/hosts"
    space_name = "exercise-hosts"
    hosts: ClassVar[dict[str, str]] = {"shop.example": "shop", "stock.example": "stock"}
    task = (
        f'`space = kit.exercise("{name}").scene()` sets up `shop` and `stock`. Send each host to its own: shop.example to `shop`, '
        "stock.example to `stock`, all paths, and no other host to either. Ingress or HTTPRoute, as you like."
    )
    first_hint = (
        "`routes.http_route(name, host, {'/': service})` makes a rule; `edge.publish(space, rule)` puts it in force."
    )
    solution_text = (
        "from kitlib import ingress, routes\n\n"
        "edge = ingress.install(cluster)\n"
        f'space = kit.exercise("{name}").scene()\n'
        'edge.publish(space, routes.http_route("shop", "shop.example", {"/": "shop"}))\n'
        'edge.publish(space, routes.http_route("stock", "stock.example", {"/": "stock"}))'
    )

    def ask(self, edge: ingress.Edge) -> Outcome:
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
    space_name = "exercise-prefix"
    host = "api.example"
    task = (
        f'`space = kit.exercise("{name}").scene()` sets up `shop`, which knows /items and nothing of a prefix. Make api.example/v1 '
        "lead to it: /v1/items must list the items, /v1/items/1 must give the first."
    )
    first_hint = "The rule must take /v1 away and leave the rest of the path: `routes.http_route(..., rewrite=...)`."
    solution_text = (
        "from kitlib import ingress, routes\n\n"
        "edge = ingress.install(cluster)\n"
        f'space = kit.exercise("{name}").scene()\n'
        f'edge.publish(space, routes.http_route("api", "{host}", {{"/v1": "shop"}}, rewrite="prefix"))'
    )
    replicas: ClassVar[dict[str, int]] = {"shop": 1}

    def ask(self, edge: ingress.Edge) -> Outcome:
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
