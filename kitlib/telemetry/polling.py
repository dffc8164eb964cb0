"""Poll until the answer is the wanted one, for stores that send no events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from kitlib.errors import WaitTimeout

LOOK = 0.1  # seconds between two looks
Seen = TypeVar("Seen")


def until(
    look: Callable[[], Seen],
    done: Callable[[Seen], bool],
    *,
    failure: Callable[[Seen], str],
    seconds: float,
    observed: Callable[[], Sequence[str]] = lambda: (),
    hint: str = "",
) -> Seen:
    """The first answer for which `done` holds.  Raises WaitTimeout with `failure` of the last answer, and with the lines observed then."""
    deadline = time.monotonic() + seconds
    while not done(seen := look()):
        if time.monotonic() > deadline:
            raise WaitTimeout(f"{failure(seen)} after {seconds:.0f} s", observed=observed(), hint=hint)
        time.sleep(LOOK)
    return seen


def settled(look: Callable[[], int], *, enough: int, patience: float) -> int:
    """A count once it is enough, or has not grown for `patience` seconds."""
    best, since = look(), time.monotonic()
    while best < enough and time.monotonic() - since < patience:
        time.sleep(LOOK)
        if (now := look()) > best:
            best, since = now, time.monotonic()
    return best
