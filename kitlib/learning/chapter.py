"""`kit.chapter("3.2-deployment")`: the header of a chapter, its recap, its questions and the learner's progress in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitlib import paths
from kitlib.host import preparation
from kitlib.learning import frame as framing
from kitlib.learning.header import header
from kitlib.learning.sittings import sittings
from kitlib.learning.words import Shown, card, items
from kitlib.views.markup import marked

if TYPE_CHECKING:  # widgets and exercises take longer to import than everything else here
    from kitlib.learning.progress import Progress
    from kitlib.learning.quiz import Quiz


@dataclass(frozen=True)
class Chapter:
    """A chapter, for its reader.  It displays as the chapter's header.  before: the chapters that come before it."""

    frame: framing.Frame
    before: tuple[framing.Frame, ...]

    def recap(self) -> Shown:
        """What to remember, in three to five sentences."""
        lines = "\n".join(f"- {sentence}" for sentence in self.frame.recap)
        return Shown(lines, card(items(map(marked, self.frame.recap))))

    def questions(self) -> Quiz:
        """Questions to test yourself: buttons with feedback in a live notebook; headless, text with the answers."""
        from kitlib.learning.quiz import Quiz

        return Quiz(self.frame.questions)

    def progress(self) -> Progress:
        """Exercises passed, predictions made and questions answered right in this chapter."""
        from kitlib.learning.progress import progress

        return progress([self.frame])[0]

    def __repr__(self) -> str:
        return self._header().text

    def _repr_html_(self) -> str:
        return self._header().html

    def _header(self) -> Shown:
        parts = sittings(paths.ROOT / "notebooks" / f"{self.frame.name}.ipynb", self.frame.minutes)
        return header(self.frame, self.before, preparation.missing(self.frame.needs), parts)


def chapter(name: str) -> Chapter:
    """The chapter of that name, such as "3.2-deployment".  Raises UsageError with the names that come close."""
    known = framing.frames()
    found = framing.named(name, known)
    return Chapter(found, tuple(framing.named(earlier, known) for earlier in found.after))
