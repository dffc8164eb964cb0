"""A long chapter in sittings of at most 45 minutes, each of which ends before a heading.

The minutes of a chapter are its author's estimate.  Its sections share them by what they hold: words to read, cells to run, exercises to
solve.  The weights of these are the kit's own estimate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from math import ceil
from pathlib import Path

from kitlib.host import textfile

MOST = 45  # minutes
WORDS, CELL, EXERCISE = 1 / 120, 0.4, 8.0  # minutes of a word, of a cell to run and understand, of an exercise
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
EXERCISES = re.compile(r"\bkit\.exercise\(.+\.panel\(\)")
STEP = 5  # minutes; nothing finer is claimed


@dataclass(frozen=True)
class Sitting:
    """A part of a chapter.  begins: the heading at which it begins, empty for the chapter's own.  minutes: rounded to STEP."""

    begins: str
    minutes: int


@lru_cache
def sittings(notebook: Path, minutes: int) -> tuple[Sitting, ...]:
    """As few sittings of at most MOST as the headings allow, and as even.  Raises InputError when the notebook cannot be read.

    minutes: of the whole chapter.  A section that takes longer than MOST is a sitting of its own.
    """
    sections = list(_sections(json.loads(textfile.read(notebook))["cells"]))
    whole = sum(weight for _, weight in sections)
    shares = [(heading, minutes * weight / whole) for heading, weight in sections]
    best = [Sitting("", minutes)]
    for count in range(ceil(minutes / MOST), len(shares) + 1):
        best = min(_splits(shares, count), key=_longest)
        if _longest(best) <= MOST:
            break
    return tuple(best)


def _longest(parts: Sequence[Sitting]) -> int:
    return max(part.minutes for part in parts)


def _splits(shares: Sequence[tuple[str, float]], count: int) -> Iterator[list[Sitting]]:
    """Every way to cut the sections into so many sittings."""
    for cuts in combinations(range(1, len(shares)), count - 1):
        bounds = [0, *cuts, len(shares)]
        yield [
            Sitting(
                shares[begin][0] if begin else "", STEP * round(sum(share for _, share in shares[begin:end]) / STEP)
            )
            for begin, end in pairwise(bounds)
        ]


def _sections(cells: Sequence[dict[str, object]]) -> Iterator[tuple[str, float]]:
    """Each section: its heading, empty for what comes before the first, and its weight in minutes."""
    heading, weight = "", 0.0
    for cell in cells:
        text = "".join(str(line) for line in cell["source"])  # type: ignore[attr-defined]
        if cell["cell_type"] == "code":
            weight += EXERCISE if EXERCISES.search(text) else CELL
            continue
        before, *rest = HEADING.split(text)
        weight += WORDS * len(before.split())
        for title, body in zip(rest[::2], rest[1::2], strict=True):
            yield heading, weight
            heading, weight = title, WORDS * len(body.split())
    yield heading, weight
