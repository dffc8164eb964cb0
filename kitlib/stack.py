"""Images as stacks of layers, read from the engine and drawn side by side: what they share is drawn once."""

from __future__ import annotations

import html
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from kitlib import proc, tools
from kitlib.engine import Engine
from kitlib.errors import EngineError
from kitlib.stats import quantity

WIDTH, PAD, GAP = 760, 12, 16  # of the picture
LAYER, LINE = 46, 22  # heights: of a layer, and of an instruction that made none
LETTER = 6.7  # width of one, about
BLUE = "#1f86c8"  # as in the plots: it reads on light and on dark
SMALL = 1_000_000  # bytes: an image's configuration is smaller
NOISE = re.compile(r"^RUN (\|\d+ .*?)?/bin/sh -c ")


@dataclass(frozen=True)
class Step:
    """One entry of an image's history.  layer: digest of what it laid on the others, empty when it changed no file; size: bytes."""

    instruction: str
    layer: str
    size: int

    @property
    def height(self) -> int:
        return LAYER if self.layer else LINE


@dataclass(frozen=True)
class Column:
    """An image: its steps, oldest first; and of a container of it the bytes in the layer that can be written (None: no container)."""

    title: str
    steps: tuple[Step, ...]
    written: int | None = None

    @property
    def size(self) -> int:
        return sum(step.size for step in self.steps)


@dataclass(frozen=True)
class Stacks:
    """A picture with its words: shown as SVG where that works, as text elsewhere."""

    columns: tuple[Column, ...]

    @property
    def common(self) -> tuple[Step, ...]:
        """The steps at the bottom that all images have; empty when there is only one image."""
        if len(self.columns) == 1:
            return ()
        levels = zip(*(column.steps for column in self.columns), strict=False)
        return tuple(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))

    def shared(self, step: Step) -> str:
        """How many of the images have a step's layer, in words."""
        images = Counter(layer for c in self.columns for layer in {s.layer for s in c.steps if s.layer})
        if not step.layer:
            return "no layer"
        return "only here" if images[step.layer] == 1 else f"shared by {images[step.layer]}"

    def __str__(self) -> str:
        return "\n".join(line for column in self.columns for line in self._lines(column))

    def _lines(self, column: Column) -> Iterator[str]:
        yield f"{column.title}, {quantity(column.size, 'B')}, the newest first"
        if column.written is not None:
            yield f"  its container's writable layer: {_size(column.written)}"
        for step in reversed(column.steps):
            size = f"{_size(step.size)}, " if step.layer else ""
            yield f"  {size}{self.shared(step)}: {step.instruction}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.svg(), "text/plain": str(self)}

    def svg(self) -> str:
        """Columns stand on what is common to them, which is drawn across."""
        base = sum(step.height for step in self.common)
        height = PAD + LINE + base + max(_above(column, len(self.common)) for column in self.columns) + PAD
        parts = list(self._boxes(self.common, PAD, height - PAD, WIDTH - 2 * PAD, self.columns[0].size))
        width = (WIDTH - 2 * PAD - GAP * (len(self.columns) - 1)) // len(self.columns)
        for i, column in enumerate(self.columns):
            parts += self._column(column, PAD + i * (width + GAP), height - PAD - base, width)
        style = 'font-family="system-ui, sans-serif" font-size="12" fill="currentColor"'
        return (
            f'<svg role="img" aria-label="{html.escape(str(self))}" viewBox="0 0 {WIDTH} {height}" '
            f'style="max-width:{WIDTH}px;width:100%" {style}>{"".join(parts)}</svg>'
        )

    def _column(self, column: Column, x: int, bottom: int, width: int) -> Iterator[str]:
        own = column.steps[len(self.common) :]
        yield from self._boxes(own, x, bottom, width, column.size)
        top = bottom - sum(step.height for step in own)
        if column.written is not None:
            words = ("a container of it: its writable layer", _size(column.written))
            top -= LAYER
            yield _box(words, x, top, width, 0.0, dashed=True)
        title = f"{column.title}, {quantity(column.size, 'B')}"
        yield f'<text x="{x}" y="{top - 8}" font-weight="bold">{_fitted(title, width)}</text>'

    def _boxes(self, steps: Sequence[Step], x: int, bottom: int, width: int, whole: int) -> Iterator[str]:
        for step in steps:
            bottom -= step.height
            if step.layer:
                words = (step.instruction, f"{_size(step.size)} · {self.shared(step)}")
                yield _box(words, x, bottom, width, step.size / max(whole, 1))
            else:
                text = _fitted(f"{step.instruction}: no layer", width - 16)
                yield f'<text x="{x + 8}" y="{bottom + 15}" font-style="italic">{text}</text>'


def draw(engine: Engine, named: Mapping[str, str], container: Any = None) -> Stacks:
    """Images by the titles to show, as they are in the engine; container: one of them has its writable layer drawn on top."""
    columns = []
    for title, reference in named.items():
        mine = container is not None and container.image.id == (engine.inspect(reference) or {}).get("Id")
        columns.append(Column(title, steps(engine, reference), engine.written(container.id) if mine else None))
    return Stacks(tuple(columns))


def steps(engine: Engine, reference: str) -> tuple[Step, ...]:
    """An image's history, oldest first.  The API leaves out which entry made which layer: that is in the image's own configuration."""
    config = _configuration(engine, reference)
    sizes = [int(entry["Size"]) for entry in reversed(engine.history(reference))]
    layers = iter(config["rootfs"]["diff_ids"])
    return tuple(
        Step(_words(entry), "" if entry.get("empty_layer") else next(layers), size)
        for entry, size in zip(config["history"], sizes, strict=True)
    )


def _configuration(engine: Engine, reference: str) -> dict[str, Any]:
    """The image's configuration (OCI image specification), out of the archive that `docker save` makes."""
    small: dict[str, bytes] = {}
    with (
        proc.stream([tools.docker(), "save", reference], env=engine.environment()) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            content = archive.extractfile(member) if member.isfile() and member.size < SMALL else None
            if content:
                small[member.name] = content.read()
    if "manifest.json" not in small:
        raise EngineError(f"the engine's archive of {reference} has no manifest.json")
    (manifest,) = json.loads(small["manifest.json"])
    return dict(json.loads(small[manifest["Config"]]))


def _words(entry: Mapping[str, Any]) -> str:
    """The instruction without what BuildKit puts around it; a base that was imported has none."""
    text = NOISE.sub("RUN ", entry.get("created_by", "")).removesuffix("# buildkit")
    return " ".join(text.split()) or "base, imported"


def _above(column: Column, common: int) -> int:
    written = 0 if column.written is None else LAYER
    return sum(step.height for step in column.steps[common:]) + written


def _size(size: int) -> str:
    return quantity(size, "B") if size >= SMALL else f"{size} bytes"


def _fitted(text: str, width: int) -> str:
    room = int(width / LETTER)
    return html.escape(text if len(text) <= room else f"{text[: room - 1]}…")


def _box(words: tuple[str, str], x: int, y: int, width: int, share: float, *, dashed: bool = False) -> str:
    """A frame, two lines of words, and at its foot a bar: the layer's share of its image."""
    line = ' stroke-dasharray="5 4"' if dashed else ""
    place = f'x="{x}" y="{y + 2}" width="{width}" height="{LAYER - 4}" rx="5"'
    frame = f'<rect {place} fill="none" stroke="currentColor" stroke-opacity="0.5"{line}/>'
    bar = f'<rect x="{x}" y="{y + LAYER - 7}" width="{width * min(share, 1):.1f}" height="5" fill="{BLUE}"/>'
    first = (
        f'<text x="{x + 8}" y="{y + 17}" font-weight="600" font-size="11.5">{_fitted(words[0], int(width - 24))}</text>'
    )
    second = f'<text x="{x + 8}" y="{y + 33}">{_fitted(words[1], width - 16)}</text>'
    return frame + bar + first + second
