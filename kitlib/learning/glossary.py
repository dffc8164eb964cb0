"""The terms of docs/glossary.md, the single source: each with a link to official documentation.

An entry is a heading, a paragraph of one or two sentences, other names behind `Also:`, and a link behind `More:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kitlib.errors import InputError, UsageError, meant
from kitlib.host import textfile
from kitlib.learning.words import card, link
from kitlib.paths import ROOT
from kitlib.views.markup import marked

FILE = ROOT / "docs" / "glossary.md"
_ENTRY = re.compile(
    r"\s*(?P<text>[^\n](?:.|\n[^\n])*?)\n\n(?:Also: (?P<also>.+)\n\n)?More: \[(?P<page>[^\]]+)\]\((?P<address>\S+)\)\s*"
)


@dataclass(frozen=True)
class Term:
    """One entry.  also: other names for it; page, address: the documentation that says more."""

    name: str
    text: str
    also: tuple[str, ...]
    page: str
    address: str

    @property
    def anchor(self) -> str:
        """The heading's anchor on the page, as GitHub makes it."""
        return re.sub(r"[^\w\- ]", "", self.name.lower()).replace(" ", "-")

    def __repr__(self) -> str:
        names = f" (also: {', '.join(self.also)})" if self.also else ""
        return f"{self.name}{names}: {self.text}\n{self.page}: {self.address}"

    def _repr_html_(self) -> str:
        also = f" (also: {marked(', '.join(self.also))})" if self.also else ""
        return card(
            f"<strong>{marked(self.name)}</strong>{also}",
            marked(self.text),
            f"More: {link(self.page, self.address)}",
        )


def explain(term: str) -> Term:
    """The glossary's entry for a term, whatever its case, in the plural, or under another name.

    Raises UsageError that names the terms that come close.
    """
    known = terms()
    by_key = {_key(name): found for found in known for name in (found.name, *found.also)}
    for key in _keys(str(term)):
        if key in by_key:
            return by_key[key]
    names = {name.lower(): name for found in known for name in (found.name, *found.also)}
    raise UsageError(
        f"the glossary does not have {textfile.one_line(repr(term))}",
        hint=meant(str(term).lower(), names, "docs/glossary.md has all terms"),
    )


def terms(path: Path = FILE) -> tuple[Term, ...]:
    """All terms, in the order of the page.  Raises InputError, with the line, for an entry of another form."""
    text = textfile.read(path)
    return tuple(
        _term(text, found, path) for found in re.finditer(r"^## (.+)\n((?:(?!^## ).*\n?)*)", text, re.MULTILINE)
    )


def _term(text: str, found: re.Match[str], path: Path) -> Term:
    entry = _ENTRY.fullmatch(found[2])
    if entry is None:
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(
            f"{textfile.shown(path)}, line {line}: {found[1]!r} is not an entry of the glossary",
            hint="a paragraph, then perhaps `Also: a, b`, then `More: [page](address)`, with empty lines between",
        )
    also = tuple(name.strip() for name in (entry["also"] or "").split(",") if name.strip())
    return Term(found[1].strip(), " ".join(entry["text"].split()), also, entry["page"], entry["address"])


def _keys(word: str) -> Iterator[str]:
    """The word, then its singulars, as keys."""
    key = _key(word)
    yield key
    for plural, singular in (("ies", "y"), ("es", ""), ("s", "")):
        if key.endswith(plural):
            yield key.removesuffix(plural) + singular


def _key(name: str) -> str:
    """A name without case, spaces, hyphens and backticks: crash-loop back-off is CrashLoopBackOff."""
    return re.sub(r"[\s\-_`]", "", name.lower())
