"""When is a prediction right?  Each option of the register has an answer, which is compared with what the rule found.

An answer is one of
    all, some, none             how many of the rule's conditions were met; a control is no condition
    {at_least: 3, below: 10}    the verdict's median, in its unit, is in this range; either end may be left out
    {met: [...], unmet: [...]}  these conditions, by their names in the verdict's details, were met and were not met
    null                        the rule does not measure what the option says; it is wrong where another option is right
The options of a claim exclude each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kitlib.claims.verdict import Condition, Predicted

Answer = str | Mapping[str, Any] | None
COUNTS = ("all", "some", "none")
RANGE, NAMED = {"at_least", "below"}, {"met", "unmet"}
FORMS = "all, some, none, {at_least: 3, below: 10}, {met: [name], unmet: [name]} or null"


def problem(option: object, answer: object) -> str:
    """What is wrong with an entry of `predictions`; "" when nothing is."""
    if not isinstance(option, str) or not option:
        return f"the option {option!r} is not text"
    if answer is None or answer in COUNTS:
        return ""
    if not isinstance(answer, Mapping) or not answer:
        return f"{option!r} has the answer {answer!r}"
    if answer.keys() <= RANGE:
        wrong = [key for key, end in answer.items() if isinstance(end, bool) or not isinstance(end, int | float)]
    elif answer.keys() <= NAMED:
        wrong = [
            key
            for key, names in answer.items()
            if not (isinstance(names, list) and all(isinstance(n, str) for n in names))
        ]
    else:
        wrong = sorted(str(key) for key in answer)
    return f"{option!r}: {wrong[0]} cannot be used" if wrong else ""


def judge(
    choice: str | None, answers: Mapping[str, Answer], conditions: Sequence[Condition], middle: float | None
) -> Predicted | None:
    """The learner's choice beside what was measured; None without a choice that the register offers.

    middle: the verdict's median.  A choice is right or wrong where its answer says so, and open where nothing was decided.
    """
    if choice is None or choice not in answers:
        return None
    found = {option: matches(answer, conditions, middle) for option, answer in answers.items()}
    true = [option for option, right in found.items() if right]
    if len(true) > 1:  # what was measured does not tell them apart
        return Predicted(choice, None if choice in true else False)
    return Predicted(choice, found[choice] if not true else choice in true, "".join(true))


def matches(answer: Answer, conditions: Sequence[Condition], middle: float | None) -> bool | None:
    """Whether the answer is what was measured; None where that was not decided, or the rule does not measure it."""
    known = {condition.name: condition.met for condition in conditions}
    if answer is None or any(c.control and c.met is False and c.name not in _names(answer) for c in conditions):
        return None
    asked_for = [c.met for c in conditions if not c.control]
    if isinstance(answer, str):
        return _count(answer, asked_for)
    if answer.keys() <= RANGE:
        if middle is None or None in asked_for:
            return None
        return bool(answer.get("at_least", middle) <= middle < answer.get("below", float("inf")))
    asked = [
        (known.get(name), wanted) for key, wanted in (("met", True), ("unmet", False)) for name in answer.get(key, ())
    ]
    if any(met is None for met, _ in asked):
        return None
    return all(met is wanted for met, wanted in asked)


def _count(word: str, met: Sequence[bool | None]) -> bool | None:
    """Whether all, some or none are met; None where the conditions that are not decided leave that open."""
    possible = {_word([*(m for m in met if m is not None), *[last] * met.count(None)]) for last in (True, False)}
    if None in met and len(met) > 1:
        possible.add("some")
    if word not in possible:
        return False
    return True if len(possible) == 1 else None


def _word(met: Sequence[bool | None]) -> str:
    return "all" if all(met) else "some" if any(met) else "none"


def _names(answer: Answer) -> set[str]:
    """The conditions that an answer names."""
    return {name for key in NAMED for name in answer.get(key, ())} if isinstance(answer, Mapping) else set()
