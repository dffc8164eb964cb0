"""Wrong answers to the exercises of 4.5-one-request: what somebody says who does not follow the trail to its end."""

from collections.abc import Callable

from kitlib.cluster import Cluster, Space
from kitlib.exercises.game_day import LASTING, Blind, Hidden, Request
from kitlib.gameday import faults
from kitlib.gameday.faults import Fault
from kitlib.stacks import logs as stack
from kitlib.telemetry.logs import matching

Answer = Callable[[Cluster], object]


def _picked(space: Space) -> Fault:
    """What was picked at random, as the live system shows: a learner cannot know, a test may."""
    return next(fault for fault in LASTING if fault.present(space))


def _another_name(_: Cluster) -> None:
    exercise = Blind()
    picked = _picked(exercise.given())
    exercise.answer(next(fault.name for fault in LASTING if fault != picked))


def _named_only(_: Cluster) -> None:
    exercise = Blind()
    assert exercise.space is not None
    exercise.answer(_picked(exercise.space).name)


def _mends_one(given: bool, name: str) -> Answer:
    def answer(_: Cluster) -> None:
        exercise = Hidden()
        space = exercise.given() if given else exercise.space
        assert space is not None
        for fault in (exercise.outer, exercise.inner):
            (faults.named(name).repair if fault.name == name else fault.inject)(space)

    return answer


def _no_trace(_: Cluster) -> None:
    exercise = Request()
    exercise.given()
    exercise.answer("gateway")


def _a_good_one(cluster: Cluster) -> None:
    exercise, logs = Request(), stack.find(cluster)
    assert exercise.space is not None and logs is not None
    served = matching(namespace=exercise.space.name, app__service="backend", app__status=200, app__path="/items")
    exercise.answer(logs.search(served, size=1)["trace_id"].squeeze())


WRONG: dict[str, tuple[Answer, ...]] = {
    Blind.name: (_another_name, _named_only),
    Hidden.name: (_mends_one(True, "selector"), _mends_one(False, "errors")),
    Request.name: (_no_trace, _a_good_one),
}
