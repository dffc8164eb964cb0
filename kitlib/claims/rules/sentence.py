"""Sentences that a person would say about what a rule found: how many of which things, which ones, and the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LISTED = 5  # names in a sentence; the others are counted, and the details have them all


@dataclass(frozen=True)
class Thing:
    """One level that was looked at.

    name: as a sentence has it.  value: what was measured of it, "" for yes and no; off: how far it is from what was asked.
    """

    name: str
    met: bool
    value: str = ""
    off: float = 0.0

    def tell(self, phrase: str) -> str:
        """What the thing did, with the value where there is one."""
        return f"{self.name} {phrase}{f' ({self.value})' if self.value else ''}"

    @property
    def shown(self) -> str:
        """The name, with the value where there is one."""
        return f"{self.name} ({self.value})" if self.value else self.name


def outcome_of(things: Sequence[Thing], plural: str, met: str, unmet: str) -> str:
    """How many of the things did what was asked, in a sentence without its full stop.

    plural: what the things are; met, unmet: what one that met the condition did, and one that did not, in the past tense.
    """
    good, bad = [t for t in things if t.met], [t for t in things if not t.met]
    if not bad:
        return f"{_all(things, plural)} {met}"
    if not good:
        return f"{_all(things, plural)} {unmet}{_worst(bad)}"
    if len(things) == 2:
        return f"{good[0].tell(met)}, and {bad[0].tell(unmet)}"
    count = f"{len(good)} of {len(things)} {plural} {met}"
    if len(good) < len(bad):
        return f"{count}: {listed([t.name for t in good])}. The others {unmet}{_worst(bad)}"
    return f"{count}; {listed([t.shown for t in bad])} {unmet}"


def _all(things: Sequence[Thing], plural: str) -> str:
    if len(things) == 1:
        return things[0].name
    return f"both {plural}" if len(things) == 2 else f"all {len(things)} {plural}"


def _worst(bad: Sequence[Thing]) -> str:
    """The thing that is furthest off, where values tell it; of a single thing, its value."""
    worst = max(bad, key=lambda t: t.off)
    if not worst.value:
        return ""
    return f"; the worst was {worst.name} with {worst.value}" if len(bad) > 1 else f" ({worst.value})"


def clauses(met: Sequence[str], unmet: Sequence[str], subject: str = "") -> str:
    """What was so, then what was not, of one subject: "it started, but found no user"."""
    said = [[*some[:-1], f"and {some[-1]}"] if len(some) > 1 else some for some in (met, unmet) if some]
    return f"{subject} {', but '.join(', '.join(some) for some in said)}".strip()


def listed(names: Sequence[str], *, most: int = LISTED) -> str:
    """Names in a row: "a, b and c"; beyond `most` they are counted."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def quoted(name: str) -> str:
    """In a sentence, a name of several words has to be seen as one."""
    return f"“{name}”" if " " in name else name


def sentence(text: str) -> str:
    """The text with a capital and a full stop; a first word that is a name, like os.Exit, stays as it is."""
    first = text.partition(" ")[0]
    begin = text[0].upper() if first.isalpha() and first.islower() else text[0]
    return f"{begin}{text[1:]}{'' if text.endswith('.') else '.'}"
