"""What happened when, as a chart of lanes and spans: SVG that reads on light and dark pages, and the same as text.

    draw("two pods", [Lane("a", (Span(0, 1.2, "", "starting"), Span(1.2, None, "", "ready")))], [Mark(0.4, "rollout")])

Times are seconds since the chart's zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kitlib.views import gantt
from kitlib.views.chart import LANES, MARKS, Axis, Chart, Lane, Mark, short

COLUMNS, NAME = 100, 30  # of the text
LETTERS = "█▒░▚▓▬▪"


class Timeline(Chart):
    """A chart that shows itself: as SVG where that works, as text elsewhere."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.svg(), "text/plain": str(self)}

    def svg(self) -> str:
        """The timeline as an SVG element."""
        return gantt.svg(self)

    def __str__(self) -> str:
        """One line per lane, at most 100 columns; a kind is a letter, which the last line explains."""
        lanes, marks = self.lanes[:LANES], self.marks[:MARKS]
        indent = 2 + min(NAME, max((len(lane.name) for lane in lanes), default=0))
        axis = self.axis(0, COLUMNS - indent - 8)
        flags = [" " * indent + _spread([(mark.at, "▼") for mark in marks], axis)] if marks else []
        rows = [short(lane.name, NAME).ljust(indent) + self._bar(lane, axis) for lane in lanes]
        ticks = " " * indent + _spread([(tick, axis.say(tick)) for tick in axis.ticks(6)], axis) + f" {axis.unit}"
        words = [short(f"▼ {axis.say(mark.at)} {axis.unit}: {mark.label}", COLUMNS) for mark in marks]
        legend = "   ".join(f"{self._letter(kind)} {kind}" for kind in self.used if kind)
        lines = [short(self.title, COLUMNS), *flags, *rows, ticks, *words, *self.left_out, short(legend, COLUMNS)]
        return "\n".join(line.rstrip() for line in lines if line)

    def _bar(self, lane: Lane, axis: Axis) -> str:
        """Every span has at least one cell; one that still lasts ends with an arrow."""
        cells = [" "] * (int(axis.right) + 2)
        for span in lane.spans:
            first, last = (int(axis.at(t)) for t in (span.start, axis.high if span.end is None else span.end))
            last = max(last, first + 1)
            cells[first:last] = self._letter(span.kind) * (last - first)
            if span.end is None:
                cells[last] = "▸"
        return "".join(cells)

    def _letter(self, kind: str) -> str:
        return LETTERS[self.kinds.index(kind) % len(LETTERS)]


def draw(
    title: str, lanes: Sequence[Lane], marks: Sequence[Mark] = (), *, kinds: Sequence[str] = (), until: float = 0.0
) -> Timeline:
    """Lanes in the order given; at most seven kinds have distinct colours.

    kinds: all possible kinds, for charts that share their colours; by default those that occur.  until: the chart's end,
    in seconds, where that is later than the last span and mark.
    """
    seen = dict.fromkeys([*kinds, *(span.kind for lane in lanes for span in lane.spans)])
    return Timeline(title, tuple(lanes), tuple(sorted(marks, key=lambda mark: mark.at)), tuple(seen), until)


def _spread(labels: Sequence[tuple[float, str]], axis: Axis) -> str:
    """Labels at their places in one line; one that would touch the one before is left out."""
    line = ""
    for at, label in labels:
        place = int(axis.at(at))
        if place > len(line) or not line:
            line = line.ljust(place) + label
    return line
