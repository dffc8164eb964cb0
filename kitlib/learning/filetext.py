"""A text file for its reader: highlighted, with notes beside its decisive lines; and the difference of two files."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from html import escape

from kitlib.learning.words import Shown
from kitlib.views.markup import marked

# JupyterLab's own colours, which follow its theme; elsewhere those behind the comma.
COLOURS = {
    "c": "var(--jp-mirror-editor-comment-color, #408080)",
    "k": "var(--jp-mirror-editor-keyword-color, #008000)",
    "m": "var(--jp-mirror-editor-number-color, #666)",
    "nt": "var(--jp-mirror-editor-keyword-color, #008000)",
    "s": "var(--jp-mirror-editor-string-color, #ba2121)",
}
STYLE = (
    "<style>.kitfile{border-collapse:collapse;border:none}.kitfile tr{background:none!important;border:none}"
    ".kitfile td{text-align:left!important;vertical-align:top;padding:0 .6em;border:none;max-width:none}"
    ".kitfile pre{margin:0;padding:0;background:none;white-space:pre}.kitfile .at{opacity:.5;user-select:none}"
    ".kitfile tr.noted{background:rgba(127,127,127,.15)!important}.kitfile .note{white-space:normal;max-width:32em}"
    + "".join(f'.kitfile [class^="t-{kind}"]{{color:{colour}}}' for kind, colour in COLOURS.items())
    + "</style>"
)
CHANGED = {"+": "rgba(46,160,67,.2)", "-": "rgba(248,81,73,.2)"}


def listing(name: str, text: str, notes: Mapping[int, str], below: Mapping[str, str] | None = None) -> Shown:
    """A file with its lines numbered.  notes: by the index of their line; below: notes without a line, by their key."""
    lines, left = text.splitlines(), dict(below or {})
    plain = [f"{i + 1:3} {line}{f'   ← {notes[i]}' if i in notes else ''}" for i, line in enumerate(lines)]
    plain += [f"no line has {key} now: {note}" for key, note in left.items()]
    rows = "".join(_row(i, code, notes.get(i)) for i, code in enumerate(_highlighted(name, text, len(lines))))
    lost = "".join(
        f"<div>No line has <code>{escape(key)}</code> now: {marked(note)}</div>" for key, note in left.items()
    )
    html = f"{STYLE}<div><strong>{escape(name)}</strong></div><table class='kitfile'>{rows}</table>{lost}"
    return Shown("\n".join([f"{name}:", *plain]), html)


def difference(names: tuple[str, str], texts: tuple[str, str]) -> Shown:
    """What differs between two texts, as a unified diff."""
    before, after = ([*text.splitlines()] for text in texts)
    lines = list(difflib.unified_diff(before, after, *names, lineterm=""))
    if not lines:
        said = f"{names[0]} and {names[1]} have the same lines."
        return Shown(said, f"<div>{escape(said)}</div>")
    shown = "\n".join(_coloured(line) for line in lines)
    return Shown("\n".join(lines), f"<pre style='line-height:1.3'>{shown}</pre>")


def _row(index: int, code: str, note: str | None) -> str:
    said = f"<td class='note'>← {marked(note)}</td>" if note else "<td></td>"
    kind = " class='noted'" if note else ""
    return f"<tr{kind}><td class='at'>{index + 1}</td><td><pre>{code or ' '}</pre></td>{said}</tr>"


def _coloured(line: str) -> str:
    if line[:3] in ("+++", "---", "@@ "):
        return f"<span style='opacity:.6'>{escape(line)}</span>"
    background = CHANGED.get(line[:1])
    return f"<span style='background:{background}'>{escape(line)}</span>" if background else escape(line)


def _highlighted(name: str, text: str, wanted: int) -> list[str]:
    """The lines as HTML, with a class for each token's kind."""
    import pygments
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import TextLexer, get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        docker = "Dockerfile" in name or name.endswith(".Dockerfile")
        options = {"stripnl": False}
        lexer = get_lexer_by_name("docker", **options) if docker else get_lexer_for_filename(name, **options)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    lines = pygments.highlight(text, lexer, HtmlFormatter(nowrap=True, classprefix="t-")).split("\n")[:wanted]
    return lines if len(lines) == wanted else [escape(line) for line in text.splitlines()]
