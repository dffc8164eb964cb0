"""Parts of a picture as SVG that reads on light and dark pages: lines and words have the page's own colour."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

GOOD, BAD = "#2a9d8f", "#d1495b"
Number = float | int


def page(alt: str, width: Number, height: Number, parts: Iterable[str], *, size: int = 12) -> str:
    """The whole picture in pixels, no wider than its column.  alt: its words, for a screen reader.  size: of letters, in pixels."""
    return (
        f'<svg role="img" aria-label="{escape(alt)}" viewBox="0 0 {width} {height}" style="max-width:{width}px;width:100%" '
        f'font-family="system-ui, sans-serif" font-size="{size}" fill="currentColor">{"".join(parts)}</svg>'
    )


def text(x: Number, y: Number, words: str, *, tip: str = "", **style: str | Number) -> str:
    """Words whose baseline begins at x, y.  tip: shown by a pointer that rests on them."""
    title = f"<title>{escape(tip)}</title>" if tip and tip != words else ""
    return f'<text x="{_short(x)}" y="{_short(y)}"{_attributes(style)}>{title}{escape(words)}</text>'


def box(x: Number, y: Number, width: Number, height: Number, **style: str | Number) -> str:
    """A frame with round corners."""
    look = {"rx": 6, "fill": "none", "stroke": "currentColor", "stroke_opacity": 0.5, **style}
    place = f'x="{_short(x)}" y="{_short(y)}" width="{_short(width)}" height="{_short(height)}"'
    return f"<rect {place}{_attributes(look)}/>"


def path(d: str, **style: str | Number) -> str:
    """A line or a shape.  d: https://www.w3.org/TR/SVG2/paths.html."""
    return f'<path d="{d}"{_attributes(style)}/>'


def mark(x: Number, y: Number, *, good: bool) -> str:
    """✓ or ✗; its shape says it too, not its colour alone."""
    return text(x, y, "✓" if good else "✗", fill=GOOD if good else BAD)


def _attributes(style: dict[str, str | Number]) -> str:
    return "".join(f' {name.replace("_", "-")}="{escape(str(value))}"' for name, value in style.items())


def _short(pixels: Number) -> str:
    """To a tenth of a pixel."""
    return f"{pixels:.1f}".removesuffix(".0")
