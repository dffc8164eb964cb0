"""How far the learner is, chapter by chapter: read from the state folder and the register, without a look at the cluster."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kitlib import exercises
from kitlib.claims import choices
from kitlib.claims.register import Claim, register
from kitlib.errors import KitError
from kitlib.exercises import record
from kitlib.exercises.base import MARKS, State
from kitlib.learning import answers
from kitlib.learning.frame import Frame
from kitlib.learning.words import card, items
from kitlib.views.markup import marked


@dataclass(frozen=True)
class Count:
    """So many of so many."""

    done: int
    of: int

    def __str__(self) -> str:
        return f"{self.done}/{self.of}" if self.of else "–"

    def __add__(self, other: Count) -> Count:
        return Count(self.done + other.done, self.of + other.of)


@dataclass(frozen=True)
class Progress:
    """One chapter's.  exercises: passed; predictions: made; questions: answered right; each: the state of each exercise."""

    chapter: str
    title: str
    exercises: Count
    predictions: Count
    questions: Count
    each: tuple[tuple[str, State], ...] = ()

    def _lines(self) -> list[str]:
        return [
            f"{self.exercises} exercises passed",
            f"{self.predictions} predictions made",
            f"{self.questions} questions answered right",
        ]

    def _exercises(self) -> list[str]:
        return [f"{MARKS[state]} {name}: {state}" for name, state in self.each]

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"  {line}" for line in [*self._lines(), *self._exercises()])])

    def _repr_html_(self) -> str:
        return card(f"<strong>Your progress in {marked(self.title)}</strong>", items(self._lines() + self._exercises()))


def progress(frames: Iterable[Frame]) -> tuple[Progress, ...]:
    """The progress in each of these chapters.  A state file that cannot be used is a warning, and counts as empty."""
    outcomes, predictions = record.outcomes(), _predictions()
    asking = [claim for claim in register() if claim.predictions]
    return tuple(
        _of(frame, outcomes, predictions, [claim for claim in asking if claim.chapter == frame.name])
        for frame in frames
    )


def as_json(standings: Sequence[Progress]) -> dict[str, Any]:
    """For trainers and CI: every chapter, and the sums."""
    return {"chapters": [_chapter(it) for it in standings], "total": _counts(total(standings))}


def total(standings: Iterable[Progress]) -> Progress:
    """The sums over all chapters."""
    found = list(standings)
    return Progress(
        "total",
        "all chapters",
        exercises=sum((it.exercises for it in found), Count(0, 0)),
        predictions=sum((it.predictions for it in found), Count(0, 0)),
        questions=sum((it.questions for it in found), Count(0, 0)),
    )


def table(standings: Sequence[Progress]) -> list[str]:
    """One line per chapter, and the sums."""
    rows = [("chapter", "exercises", "predictions", "questions")]
    for it in [*standings, total(standings)]:
        rows.append((it.chapter, str(it.exercises), str(it.predictions), str(it.questions)))
    return [f"{name:24} {done:>10} {made:>12} {right:>10}" for name, done, made, right in rows]


def _of(frame: Frame, outcomes: Mapping[str, str], predictions: Mapping[str, str], asked: Sequence[Claim]) -> Progress:
    """asked: the chapter's claims that ask for a prediction."""
    names = [name for name in exercises.ALL if name.startswith(f"{frame.name}/")]
    each = tuple((name, _state(outcomes.get(name))) for name in names)
    chosen = answers.chosen(frame.questions)
    return Progress(
        frame.name,
        frame.title,
        Count(sum(state == "passed" for _, state in each), len(each)),
        Count(sum(predictions.get(claim.id) in claim.predictions for claim in asked), len(asked)),
        Count(sum(option.right for option in chosen.values()), len(frame.questions)),
        each,
    )


def _state(outcome: str | None) -> State:
    return "passed" if outcome == "passed" else "failed" if outcome == "failed" else "not attempted"


def _predictions() -> dict[str, str]:
    try:
        return choices.load()
    except KitError as e:
        warnings.warn(f"the predictions cannot be read: {e.message}", stacklevel=2)
        return {}


def _chapter(it: Progress) -> dict[str, Any]:
    return {"chapter": it.chapter, "title": it.title, **_counts(it), "each": dict(it.each)}


def _counts(it: Progress) -> dict[str, Any]:
    return {name: asdict(getattr(it, name)) for name in ("exercises", "predictions", "questions")}
