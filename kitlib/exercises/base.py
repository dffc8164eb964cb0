"""Exercises: a task for the learner, checked against the real system and never against the learner's text.

An exercise is an object of a class in one of the modules beside this one.  Its state lives in the cluster and the engine alone, so
progress survives a killed kernel, and `reset` needs no memory of what was done.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from kitlib import cluster as clusters

State = Literal["not attempted", "failed", "passed"]
MARKS: Mapping[State, str] = {"not attempted": "○", "failed": "✗", "passed": "✓"}


@dataclass(frozen=True)
class Outcome:
    """What a check found.  saw: lines of evidence from the real system; look: where to look next."""

    state: State
    saw: tuple[str, ...] = ()
    look: str = ""

    def __str__(self) -> str:
        lines = [f"{MARKS[self.state]} {self.state}", *(f"  saw: {line}" for line in self.saw)]
        return "\n".join([*lines, f"  look: {self.look}"] if self.look else lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        saw = "".join(f"<li><code>{html.escape(line)}</code></li>" for line in self.saw)
        look = f"<p>Where to look: {html.escape(self.look)}</p>" if self.look else ""
        seen = f"<p>What the check saw:</p><ul>{saw}</ul>" if saw else ""
        return f"<div class='kit-outcome'><p><strong>{MARKS[self.state]} {self.state}</strong></p>{seen}{look}</div>"


def passed(*saw: str) -> Outcome:
    return Outcome("passed", saw)


def failed(*saw: str, look: str) -> Outcome:
    return Outcome("failed", saw, look)


NOT_ATTEMPTED = Outcome("not attempted")


class Exercise(ABC):
    """One task.  Subclasses give their words, and look at the system in check().

    first_hint: for who has not begun; after that, a failed check says where to look.
    solution_text: cells that solve it, with `kit` and `cluster` as the chapter has them; the tests run this very text.
    language: of these cells.
    """

    language = "python"
    name: str
    task: str
    first_hint: str
    solution_text: str

    @cached_property
    def cluster(self) -> clusters.Cluster:
        return clusters.bind()

    @abstractmethod
    def check(self) -> Outcome:
        """Look at the real system; says what was seen and where to look next."""

    @abstractmethod
    def reset(self) -> None:
        """Bring the system back to `not attempted`."""

    def hint(self) -> str:
        """The hint for where the learner stands now: what the last check would say, else the first hint."""
        return self.check().look or self.first_hint

    def solution(self) -> str:
        """The reference solution, as text to read and run."""
        return self.solution_text

    def panel(self) -> Any:
        """Buttons for check, hint, solution and reset; headless, the same as text."""
        from kitlib import widgets

        return widgets.panel(self)

    def _repr_markdown_(self) -> str:
        return f"**Exercise {self.name}.** {self.task}"

    def __repr__(self) -> str:
        return f"Exercise {self.name}: {self.task}"
