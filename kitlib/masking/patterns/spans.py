"""A secret is a span of a text: where it begins and ends.  Every form of secret is a function from text to spans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MASK = "[masked]"
Span = tuple[int, int]
_MASK = re.compile(re.escape(MASK))


_LOWER = {upper: upper + 32 for upper in range(65, 91)}


def lowered(text: str) -> str:
    """The text with A to Z as a to z: a character stays one character, so that places in the one are places in the other."""
    lower = text.lower()  # no character becomes shorter; a few become two
    return lower if len(lower) == len(text) else text.translate(_LOWER)


def places(text: str, literal: str) -> Iterator[int]:
    """Where a literal stands in a text."""
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + len(literal))


def cover(text: str, spans: Iterable[Span]) -> str:
    """The text with MASK in place of each span; spans that overlap are one secret.  The same string if there is none.

    A mask that stands in the text already is never cut: a span of it stays as it is, so that masking twice changes nothing more.
    """
    masked = [match.span() for match in _MASK.finditer(text)]
    parts, at = [], 0
    for start, end in _joined([*spans, *masked]):
        if text[start:end] != MASK:
            parts += [text[at:start], MASK]
            at = end
    return "".join([*parts, text[at:]]) if parts else text


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    first, last = -1, -1
    for start, end in sorted(spans):
        if start < last:
            last = max(last, end)
            continue
        if last > first:
            yield first, last
        first, last = start, end
    if last > first:
        yield first, last
