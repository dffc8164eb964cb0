"""Ask until the answer is the wanted one: of stores that tell nobody what has come."""

from __future__ import annotations

import threading
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
    """The first answer that is done.  Raises WaitTimeout with what `failure` says of the last one, and what is observed then."""
    deadline = time.monotonic() + seconds
    while not done(seen := look()):
        if time.monotonic() > deadline:
            raise WaitTimeout(f"{failure(seen)} after {seconds:.0f} s", observed=observed(), hint=hint)
        threading.Event().wait(LOOK)
    return seen


def settled(look: Callable[[], int], *, enough: int, patience: float) -> int:
    """A count once it is enough, or has not grown for `patience` seconds."""
    best, since = look(), time.monotonic()
    while best < enough and time.monotonic() - since < patience:
        threading.Event().wait(LOOK)
        if (now := look()) > best:
            best, since = now, time.monotonic()
    return best
