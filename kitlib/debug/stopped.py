"""A stopped program: the line, the stack, the variables; as a picture for a notebook, and as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import dedent
from typing import Any

AROUND = 4  # lines of source above and below
CALLERS = 4
ARROW = "→"
PATH = re.compile(r"[\w.-]+/")
BAR = "border-left:3px solid #1f86c8;padding-left:10px"
PRE = "font-family:ui-monospace,monospace;line-height:1.35;white-space:pre;overflow-x:auto;margin:0 0 8px"
CELL = "text-align:left;padding:0 14px 0 0;vertical-align:top"


@dataclass(frozen=True)
class Frame:
    """A call that has not returned.  file: below the folder of the sources where it is one of them, else as Delve has it."""

    id: int
    name: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.name} at {self.file}:{self.line}"


@dataclass(frozen=True)
class Variable:
    """A name and its value in Delve's words.  reference: what Session.inside asks by; 0 when there is nothing inside."""

    name: str
    value: str
    type: str
    reference: int = 0

    @property
    def kind(self) -> str:
        """Its type without the paths of packages."""
        return PATH.sub("", self.type)

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


@dataclass(frozen=True)
class Stopped:
    """A program that stands still.  frames: the innermost first; variables: arguments, then locals; source: lines of its file."""

    reason: str
    frames: tuple[Frame, ...]
    variables: tuple[Variable, ...]
    source: tuple[str, ...]

    @property
    def line(self) -> int:
        """Of the innermost call; 0 when there is none."""
        return self.frames[0].line if self.frames else 0

    def variable(self, name: str) -> Variable | None:
        """The variable of that name, None when the debugger does not see it."""
        return next((v for v in self.variables if v.name == name), None)

    def excerpt(self) -> Iterator[tuple[str, int, str]]:
        """Mark, number and text of the lines around."""
        first = max(1, self.line - AROUND)
        around = "\n".join(text.expandtabs(4) for text in self.source[first - 1 : self.line + AROUND])
        for number, text in enumerate(dedent(around).splitlines(), first):
            yield ARROW if number == self.line else " ", number, text

    def __str__(self) -> str:
        lines = [self._title(), ""]
        lines += [f"  {mark} {number:3d}  {text}".rstrip() for mark, number, text in self.excerpt()]
        lines += ["", "stack:", *(f"  {frame}" for frame in self.frames[:CALLERS]), *self._deeper()]
        return "\n".join([*lines, "variables:", *(f"  {_short(str(v))}" for v in self.variables)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": str(self)}

    def _title(self) -> str:
        where = self.frames[0] if self.frames else "nowhere"
        return f"stopped ({self.reason}) in {where}"

    def _deeper(self) -> list[str]:
        more = len(self.frames) - CALLERS
        return [f"  … and {more} more below"] if more > 0 else []

    def _html(self) -> str:
        source = "".join(_source_line(*line) for line in self.excerpt())
        stack = _table([(f.name, f"{f.file}:{f.line}") for f in self.frames[:CALLERS]])
        names = _table([(v.name, v.kind, _short(v.value, 60)) for v in self.variables])
        deeper = escape("".join(self._deeper()).strip())
        return (
            f'<div style="{BAR}"><p><strong>{escape(self._title())}</strong></p>'
            f'<pre style="{PRE}">{source}</pre>'
            f"<p><strong>Stack</strong></p>{stack}<p>{deeper}</p><p><strong>Variables</strong></p>{names}</div>"
        )


def _source_line(mark: str, number: int, text: str) -> str:
    line = f"{mark} {number:3d}  {escape(text)}\n"
    if mark != ARROW:
        return line
    return f'<span style="background:rgba(230,160,30,.3);font-weight:bold">{line}</span>'


def _table(rows: Sequence[Sequence[str]]) -> str:
    cells = ("".join(f'<td style="{CELL}"><code>{escape(cell)}</code></td>' for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _short(text: str, room: int = 90) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
