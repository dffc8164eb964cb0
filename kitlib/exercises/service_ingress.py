"""Exercises of 3.3-service-ingress: a namespace has applications, and the learner writes the Services and routes to them."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Outcome, failed, passed
from kitlib.exercises.terminal import TerminalExercise
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref
from kitlib.measure.workloads.routes import arrived, instance
from kitlib.stacks import ingress
from kitlib.workloads import app

CHAPTER = "3.3-service-ingress"
BROKEN = {"app": "web"}  # in exercise-selector.yaml
SECONDS = 10
REQUESTS = 40
ELSEWHERE = "/one/two"  # goapp has nothing there, and names the path that it saw
NEXT = "shop-next"
EQUAL_PODS = "how many pods each release has: both must have the same number, so that only the rule decides"


class _Scene(TerminalExercise):
    """An exercise in its own namespace, which the starter file creates together with the applications."""

    space: str  # the namespace's name, without `kit-`
    instances: tuple[str, ...] = ("shop", "stock")

    def check(self) -> Outcome:
        """Look whether the namespace exists, then judge what is in it."""
        namespace = place.find(self.cluster, self.space)
        return self.judge(namespace) if namespace else NOT_ATTEMPTED

    @abstractmethod
    def judge(self, namespace: Namespace) -> Outcome:
        """Judge what is in the namespace."""

    def reset(self) -> None:
        """Remove the objects of the starter file and of the learner; if the kit made the namespace, also remove the namespace."""
        place.clear(self.cluster, self.space, self.instances)


class Selector(_Scene):
    """A Service that selects no pod."""

    name = f"{CHAPTER}/selector"
    space = "exercise-selector"
    instances = ("shop", "stock", "front")
    task = (
        "`kubectl apply -f exercise-selector.yaml` creates the namespace `kit-exercise-selector`, the Deployments `shop` and "
        "`stock`, and a Service `front` without endpoints. Repair the Service, not the pods: it must lead to all pods of "
        "`shop`, and to no other pods."
    )
    hints = (
        "A Service finds its pods by labels. Which labels do the pods have, and which labels are in the Service?",
        "`kubectl -n kit-exercise-selector get pods --show-labels` and `kubectl -n kit-exercise-selector describe service "
        "front` show both. One label has the same value on all pods of `shop`, and another value on the pods of `stock`.",
        "Change `spec.selector` of the Service to `app.kubernetes.io/instance: shop` alone. Use `kubectl edit`, or change the "
        "file and use `kubectl apply`. Remove the old label from the selector.",
    )
    solution_text = """\
kubectl apply -f exercise-selector.yaml
kubectl -n kit-exercise-selector rollout status deployment/shop --timeout=60s
kubectl -n kit-exercise-selector patch service front --type=json \\
  -p '[{"op": "replace", "path": "/spec/selector", "value": {"app.kubernetes.io/instance": "shop"}}]'
"""

    def judge(self, namespace: Namespace) -> Outcome:
        """Look whether the Service leads to all pods of `shop`, and to no other pods."""
        found = namespace.cluster.kube.get("Service", "front", namespace.name)
        if found is None:
            return NOT_ATTEMPTED
        selector = found["spec"].get("selector") or {}
        saw = f"Service/front selects {selector or 'nothing'}"
        if not selector:
            return failed(saw, look="its spec.selector: without one, no controller writes the endpoints")
        reached = self._reached(namespace, selector)
        if selector == BROKEN:
            look = "the Service: you changed the pods, but the next pod of the Deployment will not have your label"
            return failed(saw, f"it leads to {_listed(reached)}", look=look) if reached else NOT_ATTEMPTED
        return self._judged(saw, reached, {p["metadata"]["name"] for p in app.pods(namespace, "shop")})

    def _judged(self, saw: str, reached: set[str], wanted: set[str]) -> Outcome:
        if not reached:
            look = "the labels of the pods: each label of the selector must be among them"
            return failed(saw, "it has no ready endpoints", look=look)
        leads = f"it leads to {_listed(reached)}"
        if reached - wanted:
            return failed(saw, leads, look="which label do only the pods of shop have?")
        if wanted - reached:
            return failed(saw, leads, look="which label do all pods of shop have, and are all of them ready?")
        return passed(saw, leads)

    def _reached(self, namespace: Namespace, selector: Mapping[str, str]) -> set[str]:
        """Names of the ready pods that the Service leads to, once its EndpointSlices are up to date."""
        kube, labels = namespace.cluster.kube, "kubernetes.io/service-name=front"
        pods = kube.list("Pod", namespace.name, labels=",".join(f"{k}={v}" for k, v in selector.items()))
        wanted = {p["metadata"]["name"] for p in pods if wait.condition("Ready")(p)}
        seen: dict[str, set[str]] = {}
        for change, item in kube.watch("EndpointSlice", namespace.name, labels=labels, seconds=SECONDS):
            seen[item["metadata"]["name"]] = set() if change == "DELETED" else _targets(item)
            if set().union(*seen.values()) == wanted:
                return wanted
        return set().union(*seen.values())


class _Routed(_Scene):
    """An exercise whose answer consists of Ingresses or HTTPRoutes; it is judged by requests through Traefik."""

    def prepare(self) -> None:
        """Publish the images, and install Traefik."""
        super().prepare()
        ingress.install(self.cluster)

    def judge(self, namespace: Namespace) -> Outcome:
        """Wait until Traefik follows the namespace's rules, then judge by requests."""
        edge = ingress.find(self.cluster)
        rules = self._rules(namespace)
        if not rules:
            return NOT_ATTEMPTED
        if edge is None:
            look = "the Ingress controller: there is none. kit.stacks.ingress.install(cluster) installs one"
            return failed(f"{len(rules)} Ingresses", look=look)
        try:
            for rule in rules:
                edge.settle(namespace, rule, seconds=SECONDS)
        except WaitTimeout as e:
            return failed(e.message, *e.observed, look="the class or Gateway of the rule, and the Services in it")
        return self.ask(edge)

    @abstractmethod
    def ask(self, edge: ingress.IngressController) -> Outcome:
        """Judge by the answers to requests."""

    def reset(self) -> None:
        """Remove the rules in the namespace, and the objects of the starter file."""
        kube = self.cluster.kube
        if namespace := place.find(self.cluster, self.space):
            refs = [Ref.of(rule) for rule in self._rules(namespace)]
            for ref in refs:
                kube.delete(ref)
            for ref in refs:
                wait.until(kube, ref.kind, ref.name, ref.namespace, done=wait.gone, what="gone")
        super().reset()

    def _rules(self, namespace: Namespace) -> list[Object]:
        """All Ingresses and HTTPRoutes; the kind HTTPRoute exists where Traefik is installed."""
        kinds = ("Ingress", "HTTPRoute") if ingress.find(self.cluster) else ("Ingress",)
        return [rule for kind in kinds for rule in namespace.cluster.kube.list(kind, namespace.name)]


class Hosts(_Routed):
    """Two hosts at one address."""

    name = f"{CHAPTER}/hosts"
    space = "exercise-hosts"
    hosts: ClassVar[dict[str, str]] = {"shop.example": "shop", "stock.example": "stock"}
    task = (
        "`kubectl apply -f exercise-hosts.yaml` creates the namespace `kit-exercise-hosts` with the Services `shop` and `stock`. "
        "Write an Ingress or HTTPRoutes that send all requests for shop.example to `shop`, and all requests for stock.example to "
        "`stock`. Requests for other hosts must reach neither Service."
    )
    hints = (
        "Each host needs its own rule, and no rule may apply to all hosts.",
        "An Ingress has one entry in `spec.rules` per host. An HTTPRoute names its hosts in `spec.hostnames`. Both need the "
        "path `/` as a prefix, and a Service with its port. ingress.yaml and httproute.yaml are examples.",
        "Write a rule with the host `shop.example`, the path `/`, `pathType: Prefix`, the Service `shop` and port 80. Write "
        "the same for `stock.example` and `stock`. The field `ingressClassName` is `kit-traefik`, as in ingress.yaml.",
    )
    solution_text = """\
kubectl apply -f exercise-hosts.yaml
kubectl -n kit-exercise-hosts rollout status deployment/shop --timeout=60s
kubectl -n kit-exercise-hosts rollout status deployment/stock --timeout=60s
kubectl -n kit-exercise-hosts apply -f - <<'END'
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: hosts
spec:
  ingressClassName: kit-traefik
  rules:
    - host: shop.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
    - host: stock.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: stock, port: {number: 80}}}
END
"""

    def ask(self, edge: ingress.IngressController) -> Outcome:
        """Send a request for each host, and one for a host that has no rule."""
        saw = []
        for host, wanted in self.hosts.items():
            answer = edge.ask(host, "/items")
            saw.append(f"http://{host}/items: {answer.status} from {instance(answer) or 'Traefik'}")
            if not instance(answer):
                return failed(*saw, look=f"the rule for {host}: are its host and its path right?")
            if instance(answer) != wanted:
                return failed(*saw, look=f"the Service that the rule for {host} names")
        if served := instance(edge.ask("other.example", "/items")):
            saw.append(f"http://other.example/items: {served} answers")
            return failed(*saw, look="the rules: one without a host applies to all hosts")
        return passed(*saw)


class Prefix(_Routed):
    """A prefix that the application does not know."""

    name = f"{CHAPTER}/prefix"
    space = "exercise-prefix"
    host = "api.example"
    task = (
        "`kubectl apply -f exercise-prefix.yaml` creates the namespace `kit-exercise-prefix` with the Service `shop`. Its "
        "application answers /items, and knows no prefix. Make api.example/v1 lead to it: /v1/items must list the items, and "
        "/v1/items/1 must return the first item."
    )
    hints = (
        "The application does not know the prefix. What has to happen to the path before the request arrives?",
        "The rule has to remove `/v1` and keep the rest of the path. An HTTPRoute can do this with a filter.",
        "Add the filter `URLRewrite` with `path: {type: ReplacePrefixMatch, replacePrefixMatch: /}` to the rule that "
        "matches the PathPrefix `/v1`. The file prefix-httproute.yaml has an example.",
    )
    solution_text = """\
kubectl apply -f exercise-prefix.yaml
kubectl -n kit-exercise-prefix rollout status deployment/shop --timeout=60s
kubectl -n kit-exercise-prefix apply -f - <<'END'
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: api
spec:
  parentRefs: [{name: kit, namespace: kit-ingress}]
  hostnames: [api.example]
  rules:
    - matches: [{path: {type: PathPrefix, value: /v1}}]
      filters:
        - type: URLRewrite
          urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
      backendRefs: [{name: shop, port: 80}]
END
"""
    instances = ("shop",)

    def ask(self, edge: ingress.IngressController) -> Outcome:
        """Ask for the list of items, for the first item, and for a path that the application does not know, all with the prefix."""
        answers = {path: edge.ask(self.host, path) for path in ("/v1/items", "/v1/items/1", f"/v1{ELSEWHERE}")}
        saw = [
            f"http://{self.host}{path}: {found.status}, {str(found.body).strip()[:80]}"
            for path, found in answers.items()
        ]
        listed, first, elsewhere = answers.values()
        if any(arrived(found) == path for path, found in answers.items()):
            return failed(*saw, look="the filters of the rule: the prefix still reaches the application")
        if (listed.status, first.status) != (200, 200):
            return failed(*saw, look="the rest of the path: the rule must remove only the prefix")
        if "items" in first.body or arrived(elsewhere) != ELSEWHERE:
            return failed(
                *saw,
                look="all other paths with the prefix: the part after the prefix must reach the application unchanged",
            )
        return passed(*saw)


class Canary(_Routed):
    """A quarter of the requests to the next release."""

    name = f"{CHAPTER}/canary"
    space = "exercise-canary"
    host = "shop.example"
    instances = ("shop", NEXT)
    task = (
        "`kubectl apply -f exercise-canary.yaml` creates the namespace `kit-exercise-canary` with two releases of the catalogue: the "
        "Services `shop` and `shop-next`, with two pods each. Send a quarter of the requests for shop.example to `shop-next`, and the "
        "rest to `shop`. Both releases must keep two pods: the rule must decide, not the number of pods."
    )
    hints = (
        "A Service spreads connections evenly over its pods. Which kind of object decides about each request, and can name "
        "both Services?",
        "A rule of an HTTPRoute can name several Services. A field of each entry decides which share of the requests it "
        "gets.",
        "In `backendRefs`, set `weight: 3` for `shop` and `weight: 1` for `shop-next`. Both have port 80. The hostname is "
        "`shop.example`, and the parent is the Gateway of httproute.yaml.",
    )
    solution_text = """\
kubectl apply -f exercise-canary.yaml
kubectl -n kit-exercise-canary rollout status deployment/shop --timeout=60s
kubectl -n kit-exercise-canary rollout status deployment/shop-next --timeout=60s
kubectl -n kit-exercise-canary apply -f - <<'END'
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: canary
spec:
  parentRefs: [{name: kit, namespace: kit-ingress}]
  hostnames: [shop.example]
  rules:
    - backendRefs:
        - {name: shop, port: 80, weight: 3}
        - {name: shop-next, port: 80, weight: 1}
END
"""

    def ask(self, edge: ingress.IngressController) -> Outcome:
        """Count which release answers each of forty requests, and how many pods each release has."""
        served = Counter(instance(edge.ask(self.host, "/items")) or "Traefik" for _ in range(REQUESTS))
        namespace = place.ensure(self.cluster, self.space)
        pods = {name: len(app.pods(namespace, name)) for name in self.instances}
        saw = [f"{count} of {REQUESTS} requests: {name}" for name, count in sorted(served.items())]
        saw += [f"{count} pods of {name}" for name, count in pods.items()]
        look = uneven(served, pods)
        return failed(*saw, look=look) if look else passed(*saw)


def uneven(served: Mapping[str, int], pods: Mapping[str, int]) -> str:
    """Where to look if the next release does not get a quarter of the requests by the rule alone; empty if it does."""
    share = served.get(NEXT, 0) / sum(served.values())
    if set(served) - {"shop", NEXT}:
        return "the host and the path of the rule: some requests reach no pod of either release"
    if len(set(pods.values())) != 1:
        return EQUAL_PODS
    if share < 0.15:
        return "the rule: whether it names shop-next, and with which weight"
    if share > 0.6:
        return "the weights: which Service has the larger weight?"
    return "the weights: without them, both Services get the same share" if share > 0.35 else ""


def _listed(pods: set[str]) -> str:
    return ", ".join(sorted(pods)) or "no pod"


def _targets(endpoints: Object) -> set[str]:
    return {e["targetRef"]["name"] for e in endpoints.get("endpoints") or () if e["conditions"].get("ready")}
