"""The learner's answers to questions, kept in the state folder."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from kitlib.errors import UsageError
from kitlib.host.statefile import StateFile
from kitlib.learning.frame import Option, Question

FILE = StateFile("answers.json", "answers to questions")


def chosen(questions: Iterable[Question]) -> dict[str, Option]:
    """The kept answer of each answered question, by its id.  An option that is offered no more does not count."""
    kept = FILE.read()
    found = {}
    for question in questions:
        entry = kept.get(question.id)
        says = entry.get("choice") if isinstance(entry, dict) else None
        option = next((option for option in question.options if option.says == says), None)
        if option is not None:
            found[question.id] = option
    return found


def choose(question: Question, says: str) -> Option:
    """Keep an answer; the newest one counts.  Raises UsageError for one that is not offered, SetupError if it cannot be kept."""
    option = next((it for it in question.options if it.says == says), None)
    if option is None:
        raise UsageError(f"{says!r} is not offered", hint=f"one of: {'; '.join(it.says for it in question.options)}")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    FILE.update(question.id, lambda _: {"choice": says, "at": now})
    return option
