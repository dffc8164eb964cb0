"""Exercises: a task for the learner, checked against the real system and never against the learner's text.

An exercise is an object of a class in one of the modules beside this one.  Its state is only in the cluster and in the engine.  So
progress survives a restart of the kernel, and `reset` needs no record of earlier steps.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from kitlib.cluster import bound as clusters
from kitlib.errors import UsageError
from kitlib.exercises import evidence, record
from kitlib.exercises.panel import panel

State = Literal["not attempted", "failed", "passed"]
JUDGES = ("judge", "ask", "check")  # the methods that look at the system
MARKS: Mapping[State, str] = {"not attempted": "○", "failed": "✗", "passed": "✓"}


@dataclass(frozen=True)
class Outcome:
    """The result of a check.  look: where to look next, which is shown first; saw: lines of evidence from the real system.

    If several lines say the same about several objects, only the first is shown, with their number.
    """

    state: State
    saw: tuple[str, ...] = ()
    look: str = ""

    def __str__(self) -> str:
        look = [f"  look: {self.look}"] if self.look else []
        saw = [f"  saw: {line}" for line in evidence.causes(self.saw)]
        return "\n".join([f"{MARKS[self.state]} {self.state}", *look, *saw])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        saw = "".join(f"<li><code>{html.escape(line)}</code></li>" for line in evidence.causes(self.saw))
        look = f"<p>Where to look: {html.escape(self.look)}</p>" if self.look else ""
        seen = f"<p>What the check saw:</p><ul>{saw}</ul>" if saw else ""
        return f"<div class='kit-outcome'><p><strong>{MARKS[self.state]} {self.state}</strong></p>{look}{seen}</div>"


def passed(*saw: str) -> Outcome:
    """The outcome of a check that found the task done.  saw: lines of evidence."""
    return Outcome("passed", saw)


def failed(*saw: str, look: str) -> Outcome:
    """The outcome of a check that found the task not done.  saw: lines of evidence; look: where to look next."""
    return Outcome("failed", saw, look)


NOT_ATTEMPTED = Outcome("not attempted")


class Exercise(ABC):
    """One task.  Subclasses define its texts, and look at the system in check().

    hints: three, from vague to exact; they look at nothing and run nothing.  Only check() looks at the system.
    solution_text: the reference solution; the tests run exactly this text, with `settings` before it.
    language: of the solution.  "bash" is for a terminal in the chapter's folder, with the starter files as given; "python" and "go" are
    cells, with `kit` and `cluster` as the chapter has them.
    """

    language = "python"
    name: str
    task: str
    hints: tuple[str, str, str]
    solution_text: str

    def __init_subclass__(cls) -> None:
        """Record the outcome of every check for the learner's progress."""
        super().__init_subclass__()
        if "check" in vars(cls):
            setattr(cls, "check", record.recorded(cls.check))  # noqa: B010 - a method is no attribute that mypy lets be set

    @cached_property
    def cluster(self) -> clusters.Cluster:
        """The bound cluster, looked up at first use.  Raises ClusterError if there is none."""
        return clusters.bind()

    def prepare(self) -> None:  # noqa: B027 - most exercises need nothing
        """Create what the chapter creates before its exercises, such as images and stacks.  The tests call it."""

    @abstractmethod
    def check(self) -> Outcome:
        """Look at the real system; returns what was seen and where to look next."""

    @abstractmethod
    def reset(self) -> None:
        """Bring the system back to `not attempted`."""

    @property
    def checking(self) -> str:
        """A sentence about what check() looks at: from the docstring of the most specific method that judges."""
        found = (vars(kind)[name] for kind in type(self).__mro__ for name in JUDGES if name in vars(kind))
        return (next(found).__doc__ or "").partition("\n")[0]

    def hint(self, step: int = 1) -> str:
        """One of the three hints; the first is the vaguest.  Raises UsageError for another step."""
        if step not in (1, 2, 3):
            raise UsageError(f"there is no hint {step!r}", hint="hint(1), hint(2) or hint(3)")
        return self.hints[step - 1]

    @property
    def settings(self) -> str:
        """Lines that set the variables of a solution for a terminal, such as names of images; each line ends with a newline."""
        return ""

    def solution(self) -> str:
        """The reference solution, as text to read and run."""
        return self.settings + self.solution_text

    def panel(self) -> Any:
        """Buttons for check, hints, solution and reset; in a headless run, the same as text."""
        return panel(self)

    def _repr_markdown_(self) -> str:
        return f"**Exercise {self.name}.** {self.task}"

    def __repr__(self) -> str:
        return f"Exercise {self.name}: {self.task}"
