"""Every exercise has three hints, from vague to exact, which run nothing."""

import pytest

from kitlib import exercises
from kitlib.exercises import Exercise


@pytest.mark.parametrize("exercise", exercises.ALL.values(), ids=lambda e: e.name)
def test_an_exercise_has_three_hints(exercise: Exercise) -> None:
    """Three different sentences, each ends as one; none is the solution."""
    hints = exercise.hints

    assert isinstance(hints, tuple) and len(hints) == len(set(hints)) == 3
    assert [exercise.hint(step) for step in (1, 2, 3)] == list(hints)
    assert all(20 < len(hint) < 420 and hint[-1] in ".?`" for hint in hints)
    assert not any(exercise.solution().strip() in hint for hint in hints)


@pytest.mark.parametrize("exercise", exercises.ALL.values(), ids=lambda e: e.name)
def test_the_first_hint_does_not_give_the_last_away(exercise: Exercise) -> None:
    """What the third hint has as code is not yet in the first."""
    first, _, last = exercise.hints
    exact = set(last.split("`")[1::2]) - set(exercise.task.split("`")[1::2])

    assert not exact & set(first.split("`")[1::2])
