"""Wrong answers to the exercises of 4.4-probes: plausible manifests that the kubelet, or the formula, disproves."""

from collections.abc import Callable
from typing import Any

from kitlib.cluster.bound import Cluster
from kitlib.exercises.mended import Mended
from kitlib.exercises.probes import SPACE, Dependency, Hang, Startup
from kitlib.measure.selfhealing import probes
from kitlib.measure.selfhealing.probes import Probe

Answer = Callable[[Cluster], object]


def _apply(exercise: Mended, cluster: Cluster, change: Callable[[Any], object]) -> None:
    """Hand in the given manifests with a changed container, in place of what is there."""
    exercise.reset()
    manifests = exercise.given()
    change(probes.container_of(probes.only(manifests, name=exercise.deployment)))
    cluster.namespace(SPACE).apply(*manifests)


def _as_it_is(_: object) -> None:
    """No change."""


def _unchanged(exercise: Mended) -> Answer:
    return lambda cluster: _apply(exercise, cluster, _as_it_is)


def _too_impatient(cluster: Cluster) -> None:
    probe = Probe(period=1, failures=4).spec("/startup")
    _apply(Startup(), cluster, lambda container: container.update(startupProbe=probe))


def _restarts_at_a_pause(cluster: Cluster) -> None:
    probe = Probe(period=1, failures=1).spec()
    _apply(Hang(), cluster, lambda container: container.update(livenessProbe=probe))


def _without_liveness(cluster: Cluster) -> None:
    _apply(Dependency(), cluster, lambda container: container.pop("livenessProbe"))


WRONG: dict[str, tuple[Answer, ...]] = {
    Startup.name: (_unchanged(Startup()), _too_impatient),
    Hang.name: (_unchanged(Hang()), _restarts_at_a_pause),
    Dependency.name: (_unchanged(Dependency()), _without_liveness),
}
