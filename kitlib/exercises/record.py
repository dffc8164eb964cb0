"""What the learner's checks found, kept in the state folder: progress is read from it, without a look at the cluster."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from kitlib.errors import SetupError
from kitlib.host.statefile import StateFile

FILE = StateFile("checks.json", "outcomes of checks")
KEPT = ("passed", "failed")  # "not attempted" is no outcome of the learner's work


class Checked(Protocol):
    """What a check returns."""

    @property
    def state(self) -> str:
        """One of "not attempted", "failed" and "passed"."""


def recorded(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The check of an exercise, which also keeps its outcome.  An outcome that cannot be kept is a warning."""

    @functools.wraps(check)
    def checked(exercise: Any) -> Any:
        outcome = check(exercise)
        try:
            keep(exercise.name, outcome)
        except SetupError as e:
            warnings.warn(str(e), stacklevel=2)
        return outcome

    return checked


def keep(exercise: str, outcome: Checked) -> None:
    """Keep the outcome of a check, with its time in UTC.  Raises SetupError when the state folder cannot be written to."""
    if outcome.state in KEPT:
        FILE.update(exercise, lambda before: _entry(outcome.state, before))


def outcomes() -> dict[str, str]:
    """The exercises that were checked: "passed" if one check passed, which a later *Reset* does not take back, else "failed"."""
    entries = {name: entry for name, entry in FILE.read().items() if isinstance(entry, dict)}
    known = {name: "passed" if entry.get("passed") else entry.get("state") for name, entry in entries.items()}
    return {name: state for name, state in known.items() if state in KEPT}


def _entry(state: str, before: Any) -> dict[str, str]:
    """state and at: of the last check; passed: the time of the first check that passed."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    first = before.get("passed") if isinstance(before, dict) else None
    entry = {"state": state, "at": now}
    if isinstance(first, str) and first:
        return {**entry, "passed": first}
    return {**entry, "passed": now} if state == "passed" else entry
