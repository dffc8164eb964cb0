"""What is shown as HTML in a notebook and as text elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from kitlib.views.markup import marked

CARD = "border-left:4px solid currentColor;padding:.3em 1em;max-width:48em"


@dataclass(frozen=True)
class Shown:
    """What a cell displays.  text: for a terminal and for plain outputs; html: for a notebook."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def link(title: str, address: str) -> str:
    """A link as HTML, for an address of the web or a path relative to the notebook."""
    return f'<a href="{escape(address)}">{marked(title)}</a>'


def items(texts: Iterable[str]) -> str:
    """A list as HTML.  texts: HTML."""
    return "<ul style='margin:.2em 0'>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>"


def card(*parts: str) -> str:
    """Parts of HTML below each other, in the frame that the kit's cards have."""
    return f'<div style="{CARD}">' + "".join(f'<div style="margin:.4em 0">{part}</div>' for part in parts) + "</div>"
