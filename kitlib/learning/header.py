"""The beginning of a chapter: its question, its skills, its minutes, what comes before it and what must run."""

from __future__ import annotations

from collections.abc import Sequence

from kitlib.learning.frame import Frame
from kitlib.learning.sittings import Sitting
from kitlib.learning.words import Shown, card, items, link
from kitlib.views.markup import marked

LATER = "To go on later, choose Run → Run All Above Selected Cell at that heading."
MAKES = {  # each need: its name for a reader, and the command that makes it
    "go": ("Go", "./kit doctor"),
    "engine": ("a container engine", "./kit up"),
    "cluster": ("the cluster", "./kit up"),
}


def header(frame: Frame, before: Sequence[Frame], missing: str = "", parts: Sequence[Sitting] = ()) -> Shown:
    """The header of a chapter.

    before: the chapters that come before it.  missing: what is not ready yet, as a sentence.  parts: the sittings of a long chapter.
    """
    more = [pauses(parts)] if len(parts) > 1 else []
    return Shown(_text(frame, before, missing, more), _html(frame, before, missing, more))


def pauses(parts: Sequence[Sitting]) -> str:
    """Where to pause, as sentences."""
    first, *later = parts
    named = [f"{part.minutes} min from “{part.begins}”" for part in later]
    return f"In {len(parts)} sittings: {', '.join([f'{first.minutes} min', *named])}. {LATER}"


def brief(frame: Frame) -> str:
    """Title, minutes and needs in one line, for lists of chapters."""
    names = [need for need in frame.needs if " " not in need]
    stacks = [need for need in frame.needs if need.startswith("stack ")]
    return f"{frame.title} · {times(frame)} · needs {', '.join(names + stacks)}"


def times(frame: Frame) -> str:
    """The minutes of a chapter; nothing is shown of a measurement that no run has timed."""
    measuring = f", {minutes(frame.measuring.minutes)} to measure" if frame.measuring else ""
    return f"{frame.minutes} min to read and do{measuring}"


def minutes(value: float) -> str:
    """Measured minutes with as many digits as their page has."""
    return f"{value:g} min"


def commands(frame: Frame) -> list[tuple[str, str]]:
    """What must run, and the command that makes it; things that one command makes stand together."""
    made: dict[str, list[str]] = {}
    for need in frame.needs:
        if need in MAKES:
            name, command = MAKES[need]
            made.setdefault(command, []).append(name)
    found = [(" and ".join(names), command) for command, names in made.items()]
    for kind, command in (("image", "./kit images build"), ("stack", "./kit stacks install")):
        if names := [need.removeprefix(f"{kind} ") for need in frame.needs if need.startswith(f"{kind} ")]:
            plural = f"{kind}s" if len(names) > 1 else kind
            found.append((f"the {plural} {', '.join(names)}", f"{command} {' '.join(names)}"))
    return found


def _source(frame: Frame) -> str:
    """Where the measured minutes come from."""
    return f"; measured with the profile quick: {frame.measuring.source}" if frame.measuring else ""


def _text(frame: Frame, before: Sequence[Frame], missing: str, more: Sequence[str]) -> str:
    needs = [f"  {what}: {command}" for what, command in commands(frame)]
    return "\n".join(
        [
            f"{frame.title}: {frame.question}",
            "You will be able to:",
            *(f"  - {skill}" for skill in frame.skills),
            f"Time: {times(frame)}{_source(frame)}",
            *more,
            f"Before it: {', '.join(chapter.title for chapter in before) or 'nothing'}",
            *(["What must run:", *needs] if needs else ["What must run: nothing"]),
            *([missing] if missing else []),
        ]
    )


def _html(frame: Frame, before: Sequence[Frame], missing: str, more: Sequence[str]) -> str:
    earlier = ", ".join(link(chapter.title, f"{chapter.name}.ipynb") for chapter in before) or "nothing"
    needs = [f"{marked(what)}: <code>{command}</code>" for what, command in commands(frame)]
    measured = f" ({link('where that was measured', f'../{frame.measuring.source}')})" if frame.measuring else ""
    return card(
        f"<strong>{marked(frame.question)}</strong>",
        f"You will be able to{items(map(marked, frame.skills))}",
        f"<strong>Time:</strong> {times(frame)}{measured}",
        *map(marked, more),
        f"<strong>Before it:</strong> {earlier}",
        f"<strong>What must run:</strong> {items(needs) if needs else 'nothing'}",
        *([f"<em>{missing}</em>"] if missing else []),
    )
