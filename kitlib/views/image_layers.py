"""Images as stacks of layers, read from the engine and drawn side by side: shared layers are drawn once."""

from __future__ import annotations

import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from kitlib.engine.client import Engine
from kitlib.errors import EngineError
from kitlib.host import proc, tools
from kitlib.host.stats import quantity
from kitlib.views import svg

WIDTH, PAD, GAP = 760, 12, 16  # of the picture
LAYER, LINE = 46, 22  # heights: of a layer, and of an instruction that made none
LETTER = 6.7  # width of one, about
BLUE = "#1f86c8"  # as in the plots: it reads on light and on dark
SMALL = 1_000_000  # bytes: an image's configuration is smaller
NOISE = re.compile(r"^RUN (\|\d+ .*?)?/bin/sh -c ")


@dataclass(frozen=True)
class Step:
    """One entry of an image's history.  layer: digest of the layer that it added, empty when it changed no file; size: bytes."""

    instruction: str
    layer: str
    size: int

    @property
    def height(self) -> int:
        """The height in pixels: a step without a layer is one line."""
        return LAYER if self.layer else LINE


@dataclass(frozen=True)
class Column:
    """An image: its steps, oldest first; written: bytes in the writable layer of a container of it (None: no container)."""

    title: str
    steps: tuple[Step, ...]
    written: int | None = None

    @property
    def size(self) -> int:
        """The bytes of all steps together."""
        return sum(step.size for step in self.steps)


@dataclass(frozen=True)
class Stacks:
    """A picture with its text: shown as SVG where that works, as text elsewhere."""

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
        """The columns stand on their common layers, which are drawn across all of them."""
        base = sum(step.height for step in self.common)
        height = PAD + LINE + base + max(_above(column, len(self.common)) for column in self.columns) + PAD
        parts = list(self._boxes(self.common, PAD, height - PAD, WIDTH - 2 * PAD, self.columns[0].size))
        width = (WIDTH - 2 * PAD - GAP * (len(self.columns) - 1)) // len(self.columns)
        for i, column in enumerate(self.columns):
            parts += self._column(column, PAD + i * (width + GAP), height - PAD - base, width)
        return svg.page(str(self), WIDTH, height, parts)

    def _column(self, column: Column, x: int, bottom: int, width: int) -> Iterator[str]:
        own = column.steps[len(self.common) :]
        yield from self._boxes(own, x, bottom, width, column.size)
        top = bottom - sum(step.height for step in own)
        if column.written is not None:
            words = ("a container of it: its writable layer", _size(column.written))
            top -= LAYER
            yield _box(words, x, top, width, 0.0, dashed=True)
        title = f"{column.title}, {quantity(column.size, 'B')}"
        yield svg.text(x, top - 8, _fitted(title, width), font_weight="bold")

    def _boxes(self, steps: Sequence[Step], x: int, bottom: int, width: int, whole: int) -> Iterator[str]:
        for step in steps:
            bottom -= step.height
            if step.layer:
                words = (step.instruction, f"{_size(step.size)} · {self.shared(step)}")
                yield _box(words, x, bottom, width, step.size / max(whole, 1))
            else:
                text = _fitted(f"{step.instruction}: no layer", width - 16)
                yield svg.text(x + 8, bottom + 15, text, font_style="italic")


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
    """The instruction without the words that BuildKit adds; an imported base has none."""
    text = NOISE.sub("RUN ", entry.get("created_by", "")).removesuffix("# buildkit")
    return " ".join(text.split()) or "base, imported"


def _above(column: Column, common: int) -> int:
    written = 0 if column.written is None else LAYER
    return sum(step.height for step in column.steps[common:]) + written


def _size(size: int) -> str:
    return quantity(size, "B") if size >= SMALL else f"{size} bytes"


def _fitted(text: str, width: int) -> str:
    room = int(width / LETTER)
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _box(words: tuple[str, str], x: int, y: int, width: int, share: float, *, dashed: bool = False) -> str:
    """A frame, two lines of words, and at its foot a bar: the layer's share of its image."""
    look = {"stroke_dasharray": "5 4"} if dashed else {}
    return "".join(
        [
            svg.box(x, y + 2, width, LAYER - 4, rx=5, **look),
            svg.box(x, y + LAYER - 7, width * min(share, 1), 5, rx=0, stroke="none", fill=BLUE),
            svg.text(x + 8, y + 17, _fitted(words[0], int(width - 24)), font_weight=600, font_size=11.5),
            svg.text(x + 8, y + 33, _fitted(words[1], width - 16)),
        ]
    )
