"""A trace as a waterfall, and the calls between services as a graph: SVG that reads on light and dark pages, and the same as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kitlib.host.stats import quantity
from kitlib.views import svg, timeline
from kitlib.views.chart import Lane, Span, short
from kitlib.views.timeline import Timeline

BOX, GAP, HIGH, ROW, PAD = 128, 144, 40, 72, 12  # px of the graph
INDENT = "\u00a0\u00a0"  # an SVG would fold plain spaces
HEAD = (
    '<marker id="kit-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0.5l7,3.5l-7,3.5z" fill="currentColor"/></marker>'
)


def waterfall(spans: pd.DataFrame) -> Timeline:
    """One trace: one lane per span in the order of its tree, one colour per service.  spans: as `Traces.spans` has them, not empty."""
    first = spans["start"].min()
    lanes = [Lane(_named(s), (_span(s, first),)) for s in spans.itertuples()]
    ends = spans["start"] + pd.to_timedelta(spans["seconds"], unit="s")
    took = quantity(1000 * (ends.max() - first).total_seconds(), "ms")
    return timeline.draw(f"trace {spans['trace_id'].iloc[0]}: {len(spans)} spans, {took}", lanes)


def _named(span: Any) -> str:
    return f"{INDENT * span.depth}{span.service} {span.kind}"


def _span(span: Any, first: pd.Timestamp) -> Span:
    start = (span.start - first).total_seconds()
    failed = f" ✗ {'' if pd.isna(span.code) else f'{span.code:.0f}'}".rstrip() if span.error else ""
    return Span(start, start + span.seconds, f"{quantity(1000 * span.seconds, 'ms')}{failed}", span.service)


@dataclass(frozen=True)
class Graph:
    """Services in columns, callers to the left of the called services; arrows with the number of calls, and of those that failed."""

    columns: tuple[tuple[str, ...], ...]
    links: tuple[tuple[str, str, int, int], ...]

    def __str__(self) -> str:
        return "\n".join(f"{a} → {b}: {_said(calls, errors)}" for a, b, calls, errors in self.links) or "no calls"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.svg(), "text/plain": str(self)}

    def svg(self) -> str:
        """One box per service, one arrow per link."""
        places = {
            name: (PAD + (BOX + GAP) * x, PAD + ROW * y)
            for x, column in enumerate(self.columns)
            for y, name in enumerate(column)
        }
        wide = 2 * PAD + (BOX + GAP) * len(self.columns) - GAP
        high = 2 * PAD + HIGH + ROW * (max(map(len, self.columns), default=1) - 1)
        parts = [_arrow(places[a], places[b], calls, errors) for a, b, calls, errors in self.links]
        parts += [_box(name, *place) for name, place in places.items()]
        return svg.page(str(self), wide, high, [f"<defs>{HEAD}</defs>", *parts])


def graph(links: pd.DataFrame) -> Graph:
    """The calls between services, as `Traces.links` returns them."""
    pairs = tuple(links[["caller", "callee", "calls", "errors"]].itertuples(index=False, name=None))
    return Graph(_columns([(caller, callee) for caller, callee, *_ in pairs]), pairs)


def _columns(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Each service one column right of its last caller; services that call each other in a circle stay where they are."""
    depth = dict.fromkeys((name for pair in pairs for name in pair), 0)
    for _ in depth:
        for caller, callee in pairs:
            depth[callee] = min(max(depth[callee], depth[caller] + 1), len(depth) - 1)
    used = sorted(set(depth.values()))
    return tuple(tuple(name for name, at in depth.items() if at == column) for column in used)


def _said(calls: int, errors: int) -> str:
    return f"{calls} call{'s' * (calls != 1)}" + (f", {errors} failed" if errors else "")


def _arrow(a: tuple[int, int], b: tuple[int, int], calls: int, errors: int) -> str:
    """From the right edge of one to the left edge of the other; back to the left, below the boxes."""
    forward = b[0] > a[0]
    x1, x2 = (a[0] + BOX, b[0]) if forward else (a[0], b[0] + BOX)
    y1, y2 = (a[1] + HIGH / 2, b[1] + HIGH / 2) if forward else (a[1] + HIGH - 6, b[1] + HIGH - 6)
    colour = svg.BAD if errors else "currentColor"
    line = svg.path(f"M{x1},{y1}L{x2},{y2}", stroke=colour, fill="none", marker_end="url(#kit-head)")
    along = 0.5 if y1 == y2 else 0.66  # arrows from one box part on their way
    x, y = x1 + along * (x2 - x1), y1 + along * (y2 - y1) - 6
    return line + svg.text(x, y, _said(calls, errors), text_anchor="middle")


def _box(name: str, x: int, y: int) -> str:
    label = svg.text(x + BOX / 2, y + HIGH / 2 + 4, short(name, 18), text_anchor="middle", font_weight=600)
    return svg.box(x, y, BOX, HIGH, stroke_opacity=0.6) + label
