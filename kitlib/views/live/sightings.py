"""The changes that a watch has seen, as events and as lanes: pure functions, so that any list of changes can be used.

seen = Sightings(pods_read)
seen.take("ADDED", pod, at=0.0)
seen.events, lanes(seen.events)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from kitlib.kube.client import Object
from kitlib.views.chart import Lane, Span

GONE = "gone"


@dataclass(frozen=True)
class State:
    """The state of something: one of a few kinds, a label with details, and facts for the columns of a table.

    A change of any of them is an event.  over: nothing of it runs any more, and no bar is drawn.  created: a time, where the API has one.
    """

    lane: str
    kind: str
    label: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    over: bool = False
    created: str = ""


@dataclass(frozen=True)
class Event:
    """From this moment on, in seconds, it was so."""

    at: float
    state: State


Read = Callable[[Object, Mapping[str, State]], Sequence[State]]
"""The states of an object's lanes, given the earlier ones: one lane for a pod, one per address for an EndpointSlice."""


class Sightings:
    """Changes of objects, as a watch gives them, to events.  A state that did not change is no event."""

    def __init__(self, read: Read) -> None:
        self.events: list[Event] = []
        self.now: dict[str, State] = {}
        self._read = read
        self._lanes: dict[str, set[str]] = {}  # uid -> the lanes that it speaks of

    def take(self, change: str, obj: Object, at: float) -> bool:
        """Whether something is different from before.  change: ADDED, MODIFIED or DELETED."""
        uid = obj["metadata"]["uid"]
        states = [] if change == "DELETED" else self._read(obj, self.now)
        lost = self._lanes.get(uid, set()) - {state.lane for state in states}
        self._lanes[uid] = {state.lane for state in states}
        elsewhere = set().union(*self._lanes.values())
        ends = [replace(self.now[lane], kind=GONE, label="", over=True) for lane in sorted(lost - elsewhere)]
        news = [state for state in states if self.now.get(state.lane) != state]
        self.now.update((state.lane, state) for state in states)
        for end in ends:
            del self.now[end.lane]
        self.events.extend(Event(at, state) for state in [*ends, *news])
        return bool(ends or news)


def lanes(events: Iterable[Event]) -> list[Lane]:
    """One lane per thing, in the order in which they were first seen; what lasted to the last has no end."""
    spans: dict[str, list[Span]] = {}
    for event in events:
        state = event.state
        row = spans.setdefault(state.lane, [])
        if row and row[-1].end is None:
            if (row[-1].kind, row[-1].label) == (state.kind, state.label):
                continue  # only facts have changed
            row[-1] = replace(row[-1], end=event.at)
        if not state.over:
            row.append(Span(event.at, None, state.label, state.kind))
    return [Lane(name, tuple(row)) for name, row in spans.items() if row]


def frame(events: Iterable[Event], what: str) -> pd.DataFrame:
    """One row per event: `what` (a name), event (a kind), detail, at (seconds), and the facts as columns."""
    rows = [
        {what: e.state.lane, "event": e.state.kind, "detail": e.state.label, "at": e.at, **e.state.facts}
        for e in events
    ]
    return pd.DataFrame(rows, columns=None if rows else [what, "event", "detail", "at"])
