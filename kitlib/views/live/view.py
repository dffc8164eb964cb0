"""The current state, as a table that a live notebook redraws, until a timeline takes its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from threading import Event
from typing import Any

import ipywidgets
from IPython.display import DisplayHandle, display

from kitlib.views import gantt
from kitlib.views.live import states
from kitlib.views.live.sightings import State
from kitlib.views.timeline import Timeline

REDRAW_SECONDS = 0.2  # at most so often
AGE_SECONDS = 1.0  # at least so often, as ages grow
ROWS = 20
CELL = "text-align:left;padding:0 12px 0 0"


class Quiet:
    """The view of a headless run: nothing is shown before the end."""

    def changed(self) -> None:
        """Note a change; called from the watch's thread."""

    def run(self) -> None:
        """Redraw until `stop`."""

    def stop(self) -> None:
        """End `run` soon."""

    def end(self, timeline: Timeline) -> None:
        """Show the timeline."""
        display(timeline)


class View(Quiet):
    """A table in JupyterLab."""

    def __init__(self, caption: Callable[[], str], now: Callable[[], Sequence[State]]) -> None:
        self._caption, self._now = caption, now
        self._news, self._stopped = Event(), Event()
        self._widget = ipywidgets.HTML(table(caption(), now()))
        self._handle = DisplayHandle()
        self._handle.display(self._widget)

    def changed(self) -> None:
        """Ask for a redraw; `run` draws at most once per REDRAW_SECONDS."""
        self._news.set()

    def run(self) -> None:
        """Redraw the widget whenever something changed, or the ages are out of date, until `stop` is called."""
        while not self._stopped.wait(REDRAW_SECONDS):
            self._news.wait(AGE_SECONDS - REDRAW_SECONDS)
            self._news.clear()
            self._widget.value = table(self._caption(), self._now())

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()
        self._news.set()

    def end(self, timeline: Timeline) -> None:
        """In the table's place, so that the stored notebook holds what a reader without a kernel can see."""
        self._handle.update(timeline)
        self._widget.close()


def table(title: str, states: Sequence[State]) -> str:
    """HTML: one row per thing, at most 20; its state has the shape and colour that it has in the timeline."""
    facts = list(dict.fromkeys(name for state in states for name in state.facts))
    ages = ["age"] if any(state.created for state in states) else []
    head = "".join(f"<th style='{CELL}'>{escape(name)}</th>" for name in ["", "state", *facts, *ages])
    rows = "".join(_row(state, facts) for state in states[:ROWS])
    rest = f"<div>… and {len(states) - ROWS} more</div>" if len(states) > ROWS else ""
    caption = f"<caption style='text-align:left'><b>{escape(title)}</b>: {len(states)} now</caption>"
    return f"<table style='line-height:1.5'>{caption}<tr>{head}</tr>{rows}</table>{rest}"


def _row(state: State, facts: Sequence[str]) -> str:
    shape = gantt.swatch(states.KINDS.index(state.kind)) if state.kind in states.KINDS else ""
    said = f"{state.kind} ({state.label})" if state.label else state.kind
    cells = [escape(state.lane), f"{shape} {escape(said)}", *(_fact(state.facts.get(name, "")) for name in facts)]
    cells += [_age(state.created)] if state.created else []
    return "<tr>" + "".join(f"<td style='{CELL}'>{cell}</td>" for cell in cells) + "</tr>"


def _fact(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else escape(str(value))


def _age(created: str) -> str:
    """The API gives whole seconds, and its clock is not quite ours."""
    return f"{max(0.0, (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds()):.0f} s"
