"""Text with `code` in backticks, as tasks, questions and glossary entries have it, as HTML."""

from __future__ import annotations

from html import escape


def marked(text: str) -> str:
    """Text as HTML: its only markup is code in backticks."""
    words = escape(text, quote=False).split("`")
    return "".join(f"<code>{w}</code>" if i % 2 else w for i, w in enumerate(words))
