"""Wrong answers to the exercises of 3.2-deployment, each wrong in its own way."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster
from kitlib.exercises.deployment import Undo
from kitlib.measure.workloads import tags
from kitlib.workloads import app, rollout

SLOW = {"CATALOG_START_DELAY": "1s", "CATALOG_DRAIN_DELAY": "1s"}


def _orders(cluster: Cluster, treatment: str) -> None:
    image = cluster.image("goapp-distroless")
    manifests = app.manifests("orders", image, replicas=2, treatments=[treatment], env=SLOW)
    namespace = cluster.namespace("orders", fresh=True)
    namespace.apply(*manifests)
    app.roll_out(namespace, "orders")


def _no_probe(cluster: Cluster) -> None:
    _orders(cluster, "guide-3.2")


def _abrupt(cluster: Cluster) -> None:
    _orders(cluster, "abrupt")


def _restarted(cluster: Cluster) -> None:
    Undo().stage()
    rollout.restart(cluster.namespace("billing"), "billing")


def _made_anew(cluster: Cluster) -> None:
    exercise = Undo()
    exercise.reset()
    cluster.namespace("billing").apply(*exercise.manifests())


def _another_image(cluster: Cluster) -> None:
    Undo().stage()
    namespace = cluster.namespace("billing")
    rollout.set_image(namespace, "billing", cluster.image("goapp-scratch"))
    app.roll_out(namespace, "billing")


def _pinned(cluster: Cluster, image: str) -> None:
    namespace = cluster.namespace("pinned")
    namespace.apply(*app.manifests("pinned", image, replicas=2, treatments=["small", "quick-exit"]))
    app.roll_out(namespace, "pinned")


def _by_tag(cluster: Cluster) -> None:
    _pinned(cluster, tags.move(cluster, "pinned", tags.OLD))


def _another_release(cluster: Cluster) -> None:
    _pinned(cluster, tags.pinned(cluster, tags.NEW))


WRONG: dict[str, tuple[Callable[[Cluster], object], ...]] = {
    "3.2-deployment/unnoticed": (_no_probe, _abrupt),
    "3.2-deployment/undo": (_restarted, _made_anew, _another_image),
    "3.2-deployment/pinned": (_by_tag, _another_release),
}
