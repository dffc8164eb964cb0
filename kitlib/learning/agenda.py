"""Agendas of workshops in docs/trainer.md, made from notebooks/agendas.yaml and chapters.yaml by `python -m kitlib.learning`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kitlib.errors import InputError, meant
from kitlib.host import textfile, yamlfile
from kitlib.learning import keys
from kitlib.learning.frame import Frame
from kitlib.paths import ROOT

FILE = ROOT / "notebooks" / "agendas.yaml"
PAGE = ROOT / "docs" / "trainer.md"
BEGIN, END = "<!-- agendas: made by python -m kitlib.learning -->", "<!-- /agendas -->"
AGENDA: keys.Types = {"id": str, "title": str, "for": str, "assumes": list, "days": list}
START, LUNCH, LUNCH_MINUTES = 9 * 60, 12 * 60, 60  # minutes of the day; lunch begins at the first break after LUNCH
BREAK_AFTER, BREAK_MINUTES = 90, 15  # minutes of work without a break, after which there is one


@dataclass(frozen=True)
class Agenda:
    """A workshop.  days: the chapters of each day.  assumes: names of chapters that participants know already."""

    title: str
    audience: str
    days: tuple[tuple[Frame, ...], ...]
    assumes: tuple[str, ...]


@dataclass(frozen=True)
class Slot:
    """A part of a day.  begins, ends: minutes since midnight.  chapter: None for a break."""

    begins: int
    ends: int
    what: str
    chapter: Frame | None = None


def agendas(frames: Iterable[Frame], path: Path = FILE) -> tuple[Agenda, ...]:
    """All agendas.  Raises InputError, with file and line, for an unknown chapter, and for one whose basis is missing."""
    known = {frame.name: frame for frame in frames}
    return tuple(_agenda(entry, where, known) for _, where, entry in yamlfile.entries(path, ("agendas",)))


def slots(chapters: Iterable[Frame]) -> Iterator[Slot]:
    """A day from nine o'clock on: chapters with their minutes to read, to do and to measure, and breaks between them."""
    at, worked, eaten = START, 0, False
    for chapter in chapters:
        if worked and at >= LUNCH and not eaten:
            yield Slot(at, at + LUNCH_MINUTES, "lunch")
            at, worked, eaten = at + LUNCH_MINUTES, 0, True
        elif worked >= BREAK_AFTER:
            yield Slot(at, at + BREAK_MINUTES, "break")
            at, worked = at + BREAK_MINUTES, 0
        minutes = _minutes(chapter)
        yield Slot(at, at + minutes, chapter.title, chapter)
        at, worked = at + minutes, worked + minutes


def rows(found: Iterable[Agenda]) -> str:
    """The agendas as Markdown: a heading each, and a table for each day."""
    return "\n\n".join(part for agenda in found for part in _parts(agenda))


def write(frames: Sequence[Frame], page: Path = PAGE) -> None:
    """Write the agendas to the page."""
    page.write_text(written(textfile.read(page), frames), encoding="utf-8")


def written(text: str, frames: Sequence[Frame]) -> str:
    """The page's text with the agendas in it.  Raises InputError when the markers are missing."""
    page = textfile.between(text, BEGIN, END, rows(agendas(frames)))
    if page is None:
        raise InputError(f"{textfile.shown(PAGE)} has no agendas", hint=f"put {BEGIN} and {END} around them")
    return page


def _agenda(entry: Mapping[str, object], where: str, known: Mapping[str, Frame]) -> Agenda:
    keys.check(entry, AGENDA, (), where)
    days = tuple(tuple(_named(name, known, where) for name in _list(day, where)) for day in _list(entry["days"], where))
    assumes = tuple(_named(name, known, where).name for name in _list(entry["assumes"], where))
    learnt = set(assumes)
    for chapter in (chapter for day in days for chapter in day):
        if missing := [name for name in chapter.after if name not in learnt]:
            raise InputError(f"{where}: {chapter.name} needs {missing[0]} before it", hint="add it, or assume it")
        learnt.add(chapter.name)
    return Agenda(str(entry["title"]), str(entry["for"]), days, assumes)


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise InputError(f"{where}: {value!r} is not a list", hint="days: a list of days, each a list of chapters")
    return value


def _named(name: object, known: Mapping[str, Frame], where: str) -> Frame:
    if name not in known:
        raise InputError(f"{where}: no chapter is called {name!r}", hint=meant(str(name), known))
    return known[str(name)]


def _minutes(chapter: Frame) -> int:
    """To read, to do and to measure, in steps of five minutes."""
    measuring = chapter.measuring.minutes if chapter.measuring else 0
    return -(-(chapter.minutes + round(measuring)) // 5) * 5


def _parts(agenda: Agenda) -> Iterator[str]:
    known = f" They know {', '.join(agenda.assumes)}." if agenda.assumes else ""
    yield f"### {agenda.title}"
    yield f"For {agenda.audience}.{known}"
    for number, day in enumerate(agenda.days, 1):
        if len(agenda.days) > 1:
            yield f"Day {number}:"
        yield "\n".join(["| time | | its question |", "|---|---|---|", *map(_row, slots(day))])


def _row(slot: Slot) -> str:
    what = f"[{slot.what}](../notebooks/{slot.chapter.name}.ipynb)" if slot.chapter else f"*{slot.what}*"
    question = slot.chapter.question if slot.chapter else ""
    return f"| {_clock(slot.begins)}–{_clock(slot.ends)} | {what} | {question} |"


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
