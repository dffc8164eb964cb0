import pytest

from kitlib import exercises
from kitlib.cluster import Cluster
from tests.notebooks.answers import WRONG, solve


def _side(name: str) -> str:
    """Parts 1 and 2 of the guide work the engine, all else the cluster: these two can be tested side by side without being in each
    other's way."""
    return "engine" if name[0] in "12" else "cluster"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(_side(name))) for name in exercises.ALL]
)
def test_an_exercise_four_ways(name: str, cluster: Cluster) -> None:
    """Untouched: not attempted.  Two wrong answers: failed, each with its own hint.  The reference: passed.  Reset: not attempted."""
    exercise = exercises.exercise(name)
    exercise.reset()
    untouched = exercise.check()
    wrong = []
    for answer in WRONG[name]:
        answer(cluster)
        wrong.append(exercise.check())
    exercise.reset()
    solve(name, cluster)
    solved = exercise.check()
    exercise.reset()

    assert untouched.state == "not attempted"
    assert [w.state for w in wrong] == ["failed", "failed"]
    assert all(w.saw for w in wrong)
    assert len({w.look for w in wrong}) == len(wrong)
    assert solved.state == "passed", solved
    assert exercise.check().state == "not attempted"
