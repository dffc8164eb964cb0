"""A stream leaves a kernel in pieces, and a flush can cut a secret in two: each piece is masked together with what came before it.

A piece that was sent cannot be masked later: of a secret that only its end gives away, the beginning is shown and the rest masked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_TAIL = 1024  # characters of a stream that the next piece is masked with


@dataclass
class Pieces:
    """The ends of the streams of one cell; `mask` is a function from text to text."""

    mask: Callable[[str], str]
    cell: str = ""
    tails: dict[str, str] | None = None

    def next(self, stream: str, text: str, cell: str) -> str:
        """The next piece of a stream, masked.  cell: an id; a new id starts new streams."""
        if cell != self.cell or self.tails is None:
            self.cell, self.tails = cell, {}
        tail = self.tails.get(stream, "")
        self.tails[stream] = _end(tail + text)
        if not tail:
            return self.mask(text)
        for context in (tail, tail.rpartition("\n")[2]):
            masked, before = self.mask(context + text), self.mask(context)
            same = _same(masked, before)
            if "\n" not in before[same:]:  # the sent text differs in its last line at most
                break
        return self.mask(masked[same:])


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _end(text: str) -> str:
    """The last characters of a text, from the beginning of a line if there is one among them."""
    if len(text) <= _TAIL:
        return text
    end = text[-_TAIL:]
    line = end.find("\n")
    return end[line + 1 :] if 0 <= line < len(end) - 1 else end
