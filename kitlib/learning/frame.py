"""What `notebooks/chapters.yaml` says of each chapter: its question, its skills, its minutes, what it needs, its recap and its questions.

Headers, the map of chapters in the README, `./kit run --list` and `./kit progress` are made from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitlib.errors import InputError, UsageError, meant
from kitlib.host import textfile, yamlfile
from kitlib.learning import keys
from kitlib.paths import ROOT

FILE = ROOT / "notebooks" / "chapters.yaml"
NEEDS = ("nothing", "go", "engine", "cluster")  # or "image NAME", "stack NAME"
FEW = (3, 5)  # the fewest and the most of skills, of sentences of a recap, and of questions


@dataclass(frozen=True)
class Option:
    """One answer of a question.  says: plain text, which a button shows; because: the feedback to this very answer."""

    says: str
    because: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question with one right answer.  id: of the chapter and the question; source: a page of official documentation."""

    id: str
    asks: str
    options: tuple[Option, ...]
    source: str

    @property
    def right(self) -> Option:
        """The right answer."""
        return next(option for option in self.options if option.right)


@dataclass(frozen=True)
class Measured:
    """Minutes that a real run of the chapter took with the profile `quick`, and the page that has them."""

    minutes: float
    source: str


@dataclass(frozen=True)
class Frame:
    """One chapter, for its reader.

    name: of its notebook, without suffix.  minutes: to read and to do, as its author estimates.  measuring: None until a run was timed.
    after: chapters that come before.  needs: "nothing", "go", "engine", "cluster", "image NAME" or "stack NAME".
    """

    name: str
    title: str
    question: str
    skills: tuple[str, ...]
    minutes: int
    after: tuple[str, ...]
    needs: tuple[str, ...]
    recap: tuple[str, ...]
    questions: tuple[Question, ...] = ()
    measuring: Measured | None = None


def frames(path: Path = FILE) -> tuple[Frame, ...]:
    """All chapters in reading order.  Raises InputError, with file and line, when the file is not as it should be."""
    found: dict[str, Frame] = {}
    for _, where, entry in yamlfile.entries(path, ("chapters",)):
        if entry["id"] in found:
            raise InputError(f"{where}: the id is taken", hint="one entry per chapter")
        found[entry["id"]] = _frame(entry, where, found)
    return tuple(found.values())


def named(name: str, known: Iterable[Frame]) -> Frame:
    """The chapter of that name.  Raises UsageError with the names that come close."""
    by_name = {frame.name: frame for frame in known}
    if name not in by_name:
        raise UsageError(f"no chapter is called {textfile.one_line(repr(name))}", hint=meant(str(name), by_name))
    return by_name[name]


def _frame(entry: Mapping[str, Any], where: str, before: Collection[str]) -> Frame:
    keys.check(entry, keys.CHAPTER, {"measuring", "questions"}, where)
    for key in ("skills", "recap"):
        keys.count(entry[key], FEW, f"{where}: {key}")
    if unknown := [name for name in entry["after"] if name not in before]:
        raise InputError(
            f"{where}: after names {unknown[0]!r}, which is no chapter before it", hint=meant(unknown[0], before)
        )
    _check_needs(entry["needs"], where)
    if "measuring" in entry:
        keys.check(entry["measuring"], keys.MEASURED, set(), f"{where}: measuring")
    questions = _questions(entry, where)
    return Frame(
        name=entry["id"],
        title=entry["title"],
        question=entry["question"],
        skills=tuple(entry["skills"]),
        minutes=entry["minutes"],
        after=tuple(entry["after"]),
        needs=tuple(entry["needs"]),
        recap=tuple(entry["recap"]),
        questions=questions,
        measuring=Measured(**entry["measuring"]) if "measuring" in entry else None,
    )


def _check_needs(needs: list[str], where: str) -> None:
    for need in needs:
        kind, _, name = need.partition(" ")
        if need not in NEEDS and not (kind in ("image", "stack") and name):
            raise InputError(f"{where}: needs has {need!r}", hint=f"one of {', '.join(NEEDS)}, image NAME, stack NAME")
    if "nothing" in needs and len(needs) > 1:
        raise InputError(f"{where}: needs has nothing, and something beside it", hint="take `nothing` out")


def _questions(entry: Mapping[str, Any], where: str) -> tuple[Question, ...]:
    given = entry.get("questions", [])
    if given:
        keys.count(given, FEW, f"{where}: questions")
    made: dict[str, Question] = {}
    for number, item in enumerate(given):
        question = _question(item, entry["id"], f"{where}: question {number + 1}")
        if question.id in made:
            raise InputError(f"{where}: question {number + 1}: the id is taken", hint="one id per question")
        made[question.id] = question
    return tuple(made.values())


def _question(item: Mapping[str, Any], chapter: str, where: str) -> Question:
    keys.check(item, keys.QUESTION, set(), where)
    for number, option in enumerate(item["options"]):
        keys.check(option, keys.OPTION, {"right"}, f"{where}: option {number + 1}")
    keys.count(item["options"], (2, FEW[1]), f"{where}: options")
    options = tuple(Option(**option) for option in item["options"])
    if len({option.says for option in options}) < len(options):
        raise InputError(f"{where}: two options say the same", hint="an option is known by what it says")
    if sum(option.right for option in options) != 1:
        raise InputError(f"{where}: exactly one option is right", hint="right: true on that option")
    return Question(f"{chapter}/{item['id']}", item["asks"], options, item["source"])
