"""A timeline's picture: bars whose colour, shape and opacity say the kind, on a page of whatever colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from kitlib.views.chart import LANES, MARKS, Axis, Chart, Lane, Mark, Span, short, words
from kitlib.views.plots.base import PALETTE
from kitlib.views.svg import box, page, path, text

WIDTH, PAD, ROW, BAR, LINE = 760, 12, 22, 16, 16  # px
NAME, TITLE, LABEL = 32, 95, 48  # letters of a lane's name, of the chart's name, and of a mark's label
EM = 7.3  # px that a letter takes, about, at 12 px
SHAPES = (  # around 0, 0, about 8 px
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
    "M-3.5,-3.5h7v7h-7z",
    "M0,-4.8l4.8,4.8l-4.8,4.8l-4.8,-4.8z",
    "M0,-4l4.6,8h-9.2z",
    "M0,4l4.6,-8h-9.2z",
    "M-1.3,-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",
    "M-4,-2.2l1.8,-1.8l2.2,2.2l2.2,-2.2l1.8,1.8l-2.2,2.2l2.2,2.2l-1.8,1.8l-2.2,-2.2l-2.2,2.2l-1.8,-1.8l2.2,-2.2z",
)
OPACITY = (0.5, 0.12, 0.3)


def svg(of: Chart) -> str:
    """The whole chart as one element, with its alternative text."""
    lanes = of.lanes[:LANES]
    flags = [replace(mark, label=short(mark.label, LABEL)) for mark in of.marks[:MARKS]]
    names = EM * min(NAME, max((len(lane.name) for lane in lanes), default=0))
    axis = of.axis(PAD + names + 10, WIDTH - 3 * PAD)
    rows = _rows(flags, axis)
    legend = _legend(of, PAD + ROW + 8)
    above = PAD + ROW * (2 if legend else 1) + LINE - 4
    top = above + LINE * max(rows, default=-1) + 6
    bottom = top + ROW * len(lanes)
    parts = [
        text(PAD, PAD + 11, short(of.title, TITLE), font_weight="bold", font_size=13),
        legend,
        _grid(axis, top, bottom),
        *(_flag(mark, axis, above + LINE * row, bottom) for mark, row in zip(flags, rows, strict=True)),
        *(_lane(lane, of.kinds, axis, top + ROW * i) for i, lane in enumerate(lanes)),
        *(text(PAD, bottom + 38 + LINE * i, note) for i, note in enumerate(of.left_out)),
    ]
    height = bottom + 28 + LINE * len(of.left_out)
    return page(of.alt(), WIDTH, height, parts)


def _lane(lane: Lane, kinds: Sequence[str], axis: Axis, y: float) -> str:
    starts = sorted(span.start for span in lane.spans)
    drawn = []
    for span in lane.spans:
        following = next((start for start in starts if start > span.start), None)
        room = axis.right + PAD if following is None else axis.at(following)
        drawn.append(_span(span, kinds.index(span.kind), axis, y, room))
    return text(PAD, y + 15, short(lane.name, NAME), tip=lane.name) + "".join(drawn)


def _span(span: Span, kind: int, axis: Axis, y: float, room: float) -> str:
    """A tinted bar with an edge, its kind's shape and its label where they fit; one that still lasts is open, with an arrow."""
    left, right = axis.at(span.start), axis.at(axis.high if span.end is None else span.end)
    width, middle = max(right - left, 2), y + ROW / 2
    colour = PALETTE[kind % len(PALETTE)]
    look: dict[str, str | float] = {
        "fill": colour,
        "fill_opacity": OPACITY[kind % 3],
        "stroke": colour,
        "stroke_opacity": 1,
        "stroke_width": 1.2,
    }
    bar = box(left, middle - BAR / 2, width, BAR, rx=2, **look)
    arrow = path(f"M{right + 1:.1f},{middle - 5}l7,5l-7,5z", fill=colour) if span.end is None else ""
    shape = _shape(kind, left + 9, middle) if width >= 16 else ""
    inside = left + (18 if shape else 4)
    tip = f"<title>{escape(words(span, axis))}</title>"
    return f"<g>{tip}{bar}{arrow}{shape}{_label(span.label, inside, left + width, room, middle + 4)}</g>"


def _label(label: str, inside: float, right: float, room: float, y: float) -> str:
    """In the bar, else beside it, else nowhere: the bar's tip and the alternative text have it."""
    long = EM * len(label)
    if not label:
        return ""
    if inside + long <= right:
        return text(inside, y, label)
    return text(right + 4, y, label) if right + 4 + long <= room else ""


def _grid(axis: Axis, top: float, bottom: float) -> str:
    """Lines at round times; the last one's label has the unit."""
    ticks = axis.ticks(8)
    lines = "".join(f"M{axis.at(tick):.1f},{top}V{bottom}" for tick in ticks)
    units = [""] * (len(ticks) - 1) + [f" {axis.unit}"]
    labels = [
        text(axis.at(t), bottom + 16, axis.say(t) + unit, text_anchor="middle")
        for t, unit in zip(ticks, units, strict=True)
    ]
    return path(lines, stroke="currentColor", stroke_opacity=0.18) + "".join(labels)


def _legend(of: Chart, y: float) -> str:
    x, parts = float(PAD), []
    for kind in filter(None, of.used):
        parts.append(_shape(of.kinds.index(kind), x + 5, y - 4) + text(x + 14, y, kind))
        x += 30 + EM * len(kind)
    return "".join(parts)


def swatch(kind: int) -> str:
    """A kind's shape and colour, to stand in a line of text."""
    return f'<svg viewBox="-5 -5 10 10" width="10" height="10" aria-hidden="true">{_shape(kind, 0, 0)}</svg>'


def _shape(kind: int, x: float, y: float) -> str:
    n = kind % len(SHAPES)
    return path(SHAPES[n], transform=f"translate({x:.1f},{y})", fill=PALETTE[n])


def _rows(marks: Sequence[Mark], axis: Axis) -> list[int]:
    """Each label's line of text, below the labels that it, or its mark's way down, would touch; marks come in the order of time."""
    ends: list[float] = []
    rows = []
    for mark in marks:
        left, right = _extent(mark, axis)
        row = 1 + max((i for i, end in enumerate(ends) if end >= left), default=-1)
        ends[row:] = [right + EM]
        rows.append(row)
    return rows


def _extent(mark: Mark, axis: Axis) -> tuple[float, float]:
    """Where the label begins and ends: right of its line, or left of it where the page ends."""
    x, long = axis.at(mark.at), EM * len(mark.label)
    return (x + 4, x + 4 + long) if x + 4 + long <= WIDTH else (x - 4 - long, x - 4)


def _flag(mark: Mark, axis: Axis, y: float, bottom: float) -> str:
    x, left = axis.at(mark.at), _extent(mark, axis)[0]
    line = path(f"M{x:.1f},{y - 10}V{bottom}", stroke="currentColor", stroke_opacity=0.7, stroke_dasharray="4 3")
    if left > x:
        return line + text(x + 4, y, mark.label)
    return line + text(x - 4, y, mark.label, text_anchor="end")
