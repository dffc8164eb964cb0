"""What happened when: lanes of spans, and moments that concern all of them.  timeline.py shows it as text, gantt.py draws it.

Times are seconds since the chart's zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LANES, MARKS = 40, 12  # at most; what is left out is counted
TOLD = 12, 8  # lanes, and spans in each, that the alternative text tells


@dataclass(frozen=True)
class Span:
    """Something that lasted from start to end, in seconds; end None: it still lasts when the chart ends.

    The label stands in the bar where there is room; the kind says how the bar looks, and what the legend calls it.
    """

    start: float
    end: float | None
    label: str
    kind: str = ""


@dataclass(frozen=True)
class Lane:
    """One row of the chart.  Where its spans overlap, the later one is on top."""

    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Mark:
    """A moment that concerns every lane."""

    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """Seconds from `low` to `high`, laid out from `left` to `right`, with ticks at round values of ms or s."""

    low: float
    high: float
    left: float = 0
    right: float = 1

    def at(self, seconds: float) -> float:
        """The position of this moment, between `left` and `right`."""
        return self.left + (seconds - self.low) / (self.high - self.low) * (self.right - self.left)

    @property
    def unit(self) -> str:
        """The unit of the labels: ms for an axis that is shorter than 2 s, else s."""
        return "ms" if self.high - self.low < 2 else "s"

    def say(self, seconds: float) -> str:
        """A moment in the axis' unit, without it: '0.25', '12.5', '130'."""
        value = round(seconds * (1000 if self.unit == "ms" else 1), 9)
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"

    def ticks(self, most: int) -> list[float]:
        """Multiples of 1, 2 or 5 times a power of ten."""
        least = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(least))
        step = next(power * n for n in (1, 2, 5, 10) if power * n >= least * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


@dataclass(frozen=True)
class Chart:
    """The content of a chart.  kinds: all possible kinds, in the order of their colours.

    until: the end in seconds, if that is later than the last span and mark.
    """

    title: str
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    kinds: tuple[str, ...]
    until: float = 0.0

    def alt(self) -> str:
        """The chart in sentences, as alternative text: its first lanes with their spans, and the marks."""
        axis = self.axis()
        lanes = [f"{lane.name}: {_told(lane, axis)}." for lane in self.lanes[: TOLD[0]]]
        rest = len(self.lanes) - len(lanes)
        marks = [f"At {axis.say(mark.at)} {axis.unit}: {mark.label}." for mark in self.marks[:MARKS]]
        return " ".join([f"{self.title}.", *lanes, *([f"And {rest} more lanes."] if rest else []), *marks])

    @property
    def used(self) -> list[str]:
        """The kinds that occur, in the order in which they do."""
        return list(dict.fromkeys(span.kind for lane in self.lanes for span in lane.spans))

    @property
    def left_out(self) -> list[str]:
        """One line for what is not drawn."""
        counts = ((len(self.lanes) - LANES, "lanes"), (len(self.marks) - MARKS, "marks"))
        return [f"… and {n} more {what}, not drawn" for n, what in counts if n > 0]

    def axis(self, left: float = 0, right: float = 1) -> Axis:
        """From zero, or the first moment before it, to the last."""
        spans = [time for lane in self.lanes for span in lane.spans for time in (span.start, span.end or span.start)]
        times = [0.0, self.until, *spans, *(mark.at for mark in self.marks)]
        low, high = min(times), max(times)
        return Axis(low, high if high > low else low + 1, left, right)


def short(text: str, most: int) -> str:
    """At most this many letters; what goes is in the middle, as pods' names differ at their end."""
    if len(text) <= most:
        return text
    tail = most // 2 - 1
    return f"{text[: most - tail - 1]}…{text[-tail:]}"


def words(span: Span, axis: Axis) -> str:
    """Like 'ready 1.2 to 8 s'."""
    name = " ".join(dict.fromkeys(part for part in (span.kind, span.label) if part))
    start, unit = axis.say(span.start), axis.unit
    return (
        f"{name} {start} {unit} until the end" if span.end is None else f"{name} {start} to {axis.say(span.end)} {unit}"
    )


def _told(lane: Lane, axis: Axis) -> str:
    rest = len(lane.spans) - TOLD[1]
    spans = [words(span, axis) for span in lane.spans[: TOLD[1]]]
    return "; ".join([*spans, *([f"and {rest} more"] if rest > 0 else [])]) or "nothing"
