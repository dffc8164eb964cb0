"""Wrong answers to the exercises of 3.3-service-ingress, as a learner would type them."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster
from kitlib.exercises import exercise
from kitlib.exercises.service_ingress import CHAPTER
from tests.notebooks.answers.shell import Bash

Answer = Callable[[Cluster], object]

ROUTE = """
kubectl -n {namespace} apply -f - <<'END'
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {name}
spec:
  parentRefs: [{{name: kit, namespace: kit-ingress}}]
  hostnames: [{host}]
  rules:
    - matches: [{{path: {{type: PathPrefix, value: {path}}}}}]
      filters: [{filters}]
      backendRefs: [{backends}]
END
"""
EVERYWHERE = """
kubectl -n kit-exercise-hosts apply -f - <<'END'
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: hosts
spec:
  ingressClassName: kit-traefik
  rules:
    - http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]
    - host: stock.example
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: stock, port: {number: 80}}}}]
END
"""
BOTH = """
kubectl -n kit-exercise-canary scale deployment shop --replicas=3
kubectl -n kit-exercise-canary scale deployment shop-next --replicas=1
kubectl -n kit-exercise-canary rollout status deployment/shop --timeout=60s
kubectl -n kit-exercise-canary rollout status deployment/shop-next --timeout=60s
kubectl -n kit-exercise-canary apply -f - <<'END'
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector: {app.kubernetes.io/name: catalog}
  ports: [{name: http, port: 80, targetPort: http}]
END
"""


def _afresh(name: str, text: str, *deployments: str) -> Answer:
    """The answer in a new scene: a rule that was changed is followed for a moment as it was."""
    space = name.rpartition("/")[2]
    waits = [
        f"kubectl -n kit-exercise-{space} rollout status deployment/{deployment} --timeout=60s"
        for deployment in deployments
    ]
    scene = "\n".join([f"kubectl apply -f exercise-{space}.yaml", *waits])
    answered = Bash(f"{scene}\n{text}", CHAPTER)

    def answer(cluster: Cluster) -> object:
        exercise(name).reset()
        return answered(cluster)

    return answer


def _front(selector: str) -> str:
    patch = f'[{{"op": "replace", "path": "/spec/selector", "value": {{{selector}}}}}]'
    return f"kubectl -n kit-exercise-selector patch service front --type=json -p '{patch}'"


def _selector(text: str) -> Answer:
    return _afresh(f"{CHAPTER}/selector", text, "shop", "stock")


def _route(space: str, name: str, host: str, backends: str, *, path: str = "/", filters: str = "") -> str:
    return ROUTE.format(
        namespace=f"kit-exercise-{space}", name=name, host=host, backends=backends, path=path, filters=filters
    )


def _hosts(text: str) -> Answer:
    return _afresh(f"{CHAPTER}/hosts", text, "shop", "stock")


def _prefix(filters: str) -> Answer:
    text = _route("prefix", "api", "api.example", SHOP, path="/v1", filters=filters)
    return _afresh(f"{CHAPTER}/prefix", text, "shop")


def _canary(backends: str, before: str = "") -> Answer:
    text = before + _route("canary", "canary", "shop.example", backends)
    return _afresh(f"{CHAPTER}/canary", text, "shop", "shop-next")


def _rewritten(kind: str) -> str:
    return f"{{type: URLRewrite, urlRewrite: {{path: {{{kind}}}}}}}"


SHOP, STOCK = "{name: shop, port: 80}", "{name: stock, port: 80}"
LABELLED = "kubectl -n kit-exercise-selector label pods -l app.kubernetes.io/instance=shop app=web"
ONLY_SHOP = _route("hosts", "shop", "shop.example", SHOP)

# the last of each is a cheat: what passes at first sight, without the task being done
WRONG: dict[str, tuple[Answer, ...]] = {
    f"{CHAPTER}/selector": (
        _selector(_front('"app.kubernetes.io/instance": "shops"')),
        _selector(_front('"app.kubernetes.io/name": "catalog"')),
        _selector(LABELLED),
    ),
    f"{CHAPTER}/hosts": (
        _hosts(ONLY_SHOP),
        _hosts(ONLY_SHOP + _route("hosts", "stock", "stock.example", SHOP)),
        _hosts(EVERYWHERE),
    ),
    f"{CHAPTER}/prefix": (
        _prefix(""),
        _prefix(_rewritten("type: ReplaceFullPath, replaceFullPath: /")),
        _prefix(_rewritten("type: ReplaceFullPath, replaceFullPath: /items")),
    ),
    f"{CHAPTER}/canary": (
        _canary(f"{SHOP}, {{name: shop-next, port: 80}}"),
        _canary("{name: shop, port: 80, weight: 1}, {name: shop-next, port: 80, weight: 3}"),
        _canary(SHOP, BOTH),
    ),
}
