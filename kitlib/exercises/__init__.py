"""All exercises by name, one module a chapter; base.py says what an exercise is."""

from __future__ import annotations

from kitlib.errors import ExerciseError
from kitlib.exercises import multi_stage, start
from kitlib.exercises.base import Exercise, Outcome

__all__ = ["ALL", "Exercise", "Outcome", "exercise"]

ALL: dict[str, Exercise] = {e.name: e for e in (start.Hello(), multi_stage.Loader(), multi_stage.Smallest())}


def exercise(name: str) -> Exercise:
    """The exercise of that name, like "2.3-multi-stage/loader".  Raises ExerciseError listing what there is."""
    try:
        return ALL[name]
    except KeyError:
        raise ExerciseError(f"no exercise is called {name}", hint=f"one of {', '.join(ALL)}") from None
