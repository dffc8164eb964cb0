"""Wrong answers to the exercises of 4.5-one-request: answers of a learner who does not follow the trail to its end."""

import hashlib
from collections.abc import Callable

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.exercises.game_day import CHAPTER, ENVELOPE, HIDDEN, LASTING, RESTART, SELECT, Blind, Hidden, Request
from kitlib.gameday.faults import Fault
from kitlib.stacks import logs as stack
from kitlib.telemetry.logs import matching
from tests.notebooks.answers import shell

Answer = Callable[[Cluster], object]


def _picked(namespace: Namespace) -> Fault:
    """What was picked at random, as the live system shows: a learner cannot know, a test may."""
    return next(fault for fault in LASTING if fault.present(namespace))


def _named_only(_: Cluster) -> None:
    exercise = Blind()
    exercise.answer(_picked(exercise.given()).name)


def _names_all(_: Cluster) -> None:
    """Each suspect in turn, and the repair."""
    exercise = Blind()
    namespace = exercise.namespace
    assert namespace is not None
    picked = _picked(namespace)
    for fault in LASTING:
        exercise.answer(fault.name)
    picked.repair(namespace)


def _lists_hashes(_: Cluster) -> None:
    """The name whose hash with the envelope's salt is in the envelope; without a key there is none, and a guess remains."""
    exercise = Blind()
    namespace = exercise.given()
    picked, envelope = _picked(namespace), exercise.kept(ENVELOPE)
    hashes = {hashlib.sha256(f"{envelope['salt']} {fault.name}".encode()).hexdigest(): fault.name for fault in LASTING}
    guess = next(fault.name for fault in LASTING if fault != picked)
    exercise.answer(hashes.get(envelope["seal"], guess))


def _repairs_one(text: str) -> Answer:
    """In a new chain: the other fault stays."""

    def answer(_: Cluster) -> None:
        Hidden().given()
        shell.run(f"{HIDDEN}{text}", CHAPTER)

    return answer


def _no_trace(_: Cluster) -> None:
    exercise = Request()
    exercise.given()
    exercise.answer("gateway")


def _a_good_one(cluster: Cluster) -> None:
    exercise, logs = Request(), stack.find(cluster)
    assert exercise.namespace is not None and logs is not None
    served = matching(namespace=exercise.namespace.name, app__service="backend", app__status=200, app__path="/items")
    exercise.answer(logs.search(served, size=1)["trace_id"].squeeze())


WRONG: dict[str, tuple[Answer, ...]] = {
    Blind.name: (_named_only, _names_all, _lists_hashes),
    Hidden.name: (_repairs_one(SELECT), _repairs_one(RESTART)),
    Request.name: (_no_trace, _a_good_one),
}
