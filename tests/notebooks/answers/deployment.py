"""Wrong answers to the exercises of 3.2-deployment, each wrong in its own way."""

from collections.abc import Callable

from kitlib import app, rollout
from kitlib.cluster import Cluster
from kitlib.exercises.deployment import Undo
from kitlib.measure import tags

SLOW = {"CATALOG_START_DELAY": "1s", "CATALOG_DRAIN_DELAY": "1s"}


def _orders(cluster: Cluster, treatment: str) -> None:
    image = cluster.image("goapp-distroless")
    manifests = app.manifests("orders", image, replicas=2, treatments=[treatment], env=SLOW)
    space = cluster.space("orders", fresh=True)
    space.apply(*manifests)
    app.roll_out(space, "orders")


def _no_probe(cluster: Cluster) -> None:
    _orders(cluster, "guide-3.2")


def _abrupt(cluster: Cluster) -> None:
    _orders(cluster, "abrupt")


def _restarted(cluster: Cluster) -> None:
    Undo().stage()
    rollout.restart(cluster.space("billing"), "billing")


def _made_anew(cluster: Cluster) -> None:
    exercise = Undo()
    exercise.reset()
    cluster.space("billing").apply(*exercise.manifests())


def _pinned(cluster: Cluster, image: str) -> None:
    space = cluster.space("pinned")
    space.apply(*app.manifests("pinned", image, replicas=2, treatments=["small", "quick-exit"]))
    app.roll_out(space, "pinned")


def _by_tag(cluster: Cluster) -> None:
    _pinned(cluster, tags.move(cluster, "pinned", tags.OLD))


def _another_release(cluster: Cluster) -> None:
    _pinned(cluster, tags.pinned(cluster, tags.NEW))


WRONG: dict[str, tuple[Callable[[Cluster], object], ...]] = {
    "3.2-deployment/unnoticed": (_no_probe, _abrupt),
    "3.2-deployment/undo": (_restarted, _made_anew),
    "3.2-deployment/pinned": (_by_tag, _another_release),
}
