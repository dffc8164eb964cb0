"""The cases of every exercise: no answer, two or more wrong answers, the reference solution, and a reset.

Two modules use it, one for the exercises that work the engine (parts 1 and 2 of the guide) and one for those that work the cluster: these
can be tested side by side without being in each other's way.
"""

from __future__ import annotations

from kitlib import exercises
from kitlib.cluster.bound import Cluster
from tests.notebooks.answers import WRONG, attempt, solve

ENGINE = [name for name in exercises.ALL if name[0] in "12"]
CLUSTER = [name for name in exercises.ALL if name not in ENGINE]


def prove(name: str, cluster: Cluster) -> None:
    """Untouched: not attempted.  Wrong answers: failed, each with its own hint.  The reference: passed.  Reset: not attempted."""
    exercise = exercises.exercise(name)
    exercise.prepare()
    exercise.reset()
    untouched = exercise.check()
    wrong = []
    for answer in WRONG[name]:
        attempt(name, answer, cluster)
        wrong.append(exercise.check())
    exercise.reset()
    solve(name, cluster)
    solved = exercise.check()
    exercise.reset()

    assert untouched.state == "not attempted"
    assert len(wrong) >= 2
    assert {w.state for w in wrong} == {"failed"}, wrong
    assert all(w.saw for w in wrong)
    assert len({w.look for w in wrong}) == len(wrong)
    assert solved.state == "passed", solved
    assert exercise.check().state == "not attempted"
