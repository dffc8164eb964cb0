"""Mermaid diagrams of a notebook's prose as SVG in the page: a page that loads nothing cannot draw them itself.

JupyterLab draws them in the browser.  mermaidx runs Mermaid's own code in an embedded JavaScript engine; a diagram takes a second, so the
drawings are kept in the cache.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from kitlib import paths

FENCE = re.compile(r"^```mermaid[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
FRAME = "background:#fff;color:#333;padding:.5rem;overflow-x:auto"  # Mermaid's colours are made for a light page
FIXED = "my-svg"  # the id that mermaidx gives to every drawing, and to what is inside by its beginning


def drawn(markdown: str) -> str:
    """The text with its diagrams drawn; one that cannot be drawn stays as it is."""
    return FENCE.sub(lambda fence: _figure(fence[1]) or fence[0], markdown)


def _figure(source: str) -> str:
    """A block of HTML on one line, since a blank line would end it; "" when the diagram cannot be drawn."""
    mark = hashlib.sha256(source.encode()).hexdigest()[:16]
    try:
        svg = _kept(paths.cache() / "diagrams", mark, source)
    except Exception:  # noqa: BLE001 - a wrong diagram, a full disk: the page is made, and has the diagram's text
        return ""
    return f"<div style='{FRAME}'>{' '.join(svg.split()).replace(FIXED, f'diagram-{mark}')}</div>"


def _kept(folder: Path, mark: str, source: str) -> str:
    """The drawing, from the cache if it is there."""
    import mermaidx

    file = folder / f"{mark}-{mermaidx.__version__}.svg"
    if not file.exists():
        svg = str(mermaidx.render(source).svg())
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_text(svg, encoding="utf-8")
        partial.replace(file)
    return file.read_text(encoding="utf-8")
