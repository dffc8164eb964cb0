"""Wrong answers to the exercises of 3.3-service-ingress."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster
from kitlib.exercises import service_ingress
from kitlib.kube.client import Object
from kitlib.stacks import ingress
from kitlib.workloads import route_manifests

Answer = Callable[[Cluster], object]


def _front(**selector: str) -> Answer:
    def answer(_: Cluster) -> None:
        service_ingress.Selector().scene().apply(route_manifests.service("front", "shop", selector=selector))

    return answer


def _published(exercise: service_ingress._Routed, *rules: Object) -> Answer:
    def answer(cluster: Cluster) -> None:
        exercise.reset()  # a rule that is changed stays in force for a moment as it was
        ingress.install(cluster).publish(exercise.scene(), *rules)

    return answer


HOSTS, PREFIX = service_ingress.Hosts(), service_ingress.Prefix()
SHOP = route_manifests.http_route("shop", "shop.example", {"/": "shop"})

WRONG: dict[str, tuple[Answer, ...]] = {
    "3.3-service-ingress/selector": (
        _front(**{"app.kubernetes.io/instance": "shops"}),
        _front(**{"app.kubernetes.io/name": "goapp"}),
    ),
    "3.3-service-ingress/hosts": (
        _published(HOSTS, SHOP),
        _published(HOSTS, SHOP, route_manifests.http_route("stock", "stock.example", {"/": "shop"})),
    ),
    "3.3-service-ingress/prefix": (
        _published(PREFIX, route_manifests.http_route("api", "api.example", {"/v1": "shop"})),
        _published(PREFIX, route_manifests.http_route("api", "api.example", {"/v1": "shop"}, rewrite="path")),
    ),
}
