"""A name with a secret beside it: environment, JSON, YAML, TOML, properties, XML, source code, logs, and what Go and Python dump.

A telling part of a name is looked for (`names.HIT`); the name around it is judged, then the text after it.  Each step looks at a
bounded piece of text, so that the time grows with the text and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kitlib.masking.patterns import dumps, names, values
from kitlib.masking.patterns.spans import Span, lowered

QUOTE = r"\\*[\"'`]|&quot;|&\#34;|&\#x27;|&\#39;"
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
_NAME_END = re.compile(rf"[\w.-]{{0,{names.LONGEST}}}", re.ASCII)
_TAGS = r"(?:</?(?:b|i|em|strong|code|span|tt|kbd|u|mark)\b[^<>\n]{0,100}>)*"
_TYPE = r"(?:[ \t]*:?[ \t]*(?:\*?string|str|String\??|SecretStr|\[\]byte|Optional\[str\]|str \| None)(?=[ \t]*=))?"
_SEPARATOR = re.compile(
    rf"(?P<end>{QUOTE})?\]?{_TAGS}{_TYPE}(?P<sep>[ \t]*(?::{{1,3}}=|\?{{1,2}}=|\+=|\.=|===?|=>|->|[:=])[ \t]*{_TAGS}[ \t]*)"
    rf"|(?P<cell></t[hd]>\s{{0,20}}<td[^<>\n]{{0,100}}>)"
    rf"|(?P<apart>{QUOTE})?[ \t]*[,;]?\s{{0,40}}(?:{QUOTE})?[Vv]alue(?:{QUOTE})?[ \t]*[:=][ \t]*"
    rf"|(?P<comma>{QUOTE}),[ \t]*(?={QUOTE})"
    rf"|(?P<default>{QUOTE})[ \t]*\{{[^{{}}]{{0,200}}?\bdefault[ \t]*=[ \t]*"
    r"|(?P<element>(?:[\"'])?(?:[ \t][^<>\n]{0,100})?>)(?=[^\n<>]{1,4096}</)"
    r"|(?P<blank>[ \t]+)"
)
_QUOTED = re.compile(
    rf"(?:[bBrRuUfF]{{1,2}}|&|!\w+[ \t]+|(?:Some|Optional|String|SecretStr|Secret|aws\.String|pointer\.String|ptr\.To)\()?"
    rf"(?P<q>\"\"\"|'''|{QUOTE})(?P<quoted>(?:(?!(?P=q))(?:\\.|[^\\\n]))*)(?P<closed>(?P=q))?"
)
_WHOLE = (  # not cut at their brackets
    r"\[masked\]|\$\{[^}\n]*\}|\$\([^)\n]*\)|\$?\{\{[^}\n]*\}\}|\{\w*\}|\{[A-Za-z_][\w.]*(?:\(\))?(?:![rs])?\}|<[\w .-]+>"
)
_BARE = re.compile(rf"(?:{_WHOLE}|[^\s,;&\"'`<>)\]}}\\]|,(?!\s|[\w.-]+=|$))+", re.MULTILINE)
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?[ \t]*(?:#[^\n]*)?\n(?P<body>(?:[ \t]*\n|[ \t]+[^\n]*(?:\n|$))+)")
_LINE = re.compile(r"(?P<value>[^\n]*?)(?:[ \t]+#[^\n]*)?[ \t\r]*$", re.MULTILINE)
_ENV = re.compile(rf"(?:{_WHOLE}|[^\s,;&\"'`<>)\]}}\\]|[,;&)\]}}\\\"'`](?=[^\s,;&)\]}}\\\"'`]))+(?<!\\)")
_TO_QUOTE = re.compile(r"(?:\\[^nrt\"']|[^\\\n\"'`])+?(?=\\[nrt]|[\s&;,]+[\w.-]+=|\\*[\"'`]|$)", re.MULTILINE)
_ELEMENT = re.compile(r"(?P<value>[^<>\n]{1,4096}?)[ \t]*</")
_REST = re.compile(r"[^\n]{0,80}")
_YAML_LEAD = re.compile(r"[ \t]*(?:[-?] )*[\"']?$")


@dataclass(frozen=True)
class _Found:
    """A name in a text: where it begins and ends, and its rank."""

    text: str
    start: int
    end: int
    rank: names.Rank

    @cached_property
    def name(self) -> str:
        return self.text[self.start : self.end]

    @cached_property
    def before(self) -> str:
        """The line's beginning, as far as 80 characters back."""
        line = self.text.rfind("\n", max(0, self.start - 80), self.start) + 1
        return self.text[max(line, self.start - 80) : self.start]

    @property
    def begins_line(self) -> bool:
        return bool(_YAML_LEAD.match(self.before)) and len(self.before) < 80

    def judged(self, start: int, end: int, *, loose: bool) -> Iterator[Span]:
        match = _REST.match(self.text, end)
        after = match[0] if match else ""
        if values.secret(self.name, self.text[start:end], loose=loose, after=after, how=self.rank):
            yield start, end


def spans(text: str) -> Iterator[Span]:
    """The values of names that name secrets."""
    done = 0
    for hit in names.HIT.finditer(lowered(text)):
        if hit.start() < done:
            continue
        found = _name_at(text, hit.start(), done)
        done = found.end
        if found.rank:
            for span in _value(found):
                done = max(done, span[1])  # no name is looked for in a secret
                yield span


def _name_at(text: str, hit: int, floor: int) -> _Found:
    start = hit
    while start > max(floor, hit - names.LONGEST) and text[start - 1] in _NAME_CHARACTERS:
        start -= 1
    match = _NAME_END.match(text, hit)
    end = match.end() if match else hit
    while end > hit and text[end - 1] in ".-":
        end -= 1
    before = text[start - 1] if start else ""
    if text[start] == "." and text[start:end] != ".dockerconfigjson":
        return _Found(text, start, end, "")  # a class in CSS, a field of something else
    if before == "/" or (before == "\\" and text[start - 2 : start - 1] == "\\"):
        return _Found(text, start, end, "")  # a path
    return _Found(text, start, end, names.rank(text[start:end]))


def _value(found: _Found) -> Iterator[Span]:
    text = found.text
    match = _SEPARATOR.match(text, found.end)
    if match is None:
        return
    at = match.end()
    if match["sep"] is not None:
        yield from _after_separator(found, match["sep"], bool(match["end"]), at)
    elif match["cell"] or match["element"]:
        if match["cell"] or re.search(r"<(?:[\w.:-]+[ \t]+name=[\"'])?$", found.before):
            yield from _element(found, at)
    elif match["comma"]:
        if re.search(r"\([ \t]*\\*[\"'`]$", found.before):
            yield from _quoted(found, at, loose=found.rank == "weak", alone=True)
    elif match["blank"]:
        yield from _flag(found, at)
    elif found.before.rstrip().endswith((":", "=", '"', "'", "Name")) or match["default"]:
        yield from _scalar(found, at)


def _after_separator(found: _Found, separator: str, quoted_name: bool, at: int) -> Iterator[Span]:
    text, sep = found.text, re.sub(r"<[^<>]*>", "", separator)
    if match := _BLOCK.match(text, at) if found.begins_line else None:
        yield from _block(found, match)
        return
    if _QUOTED.match(text, at):
        yield from _quoted(found, at, loose=False)
        return
    if sep == ":" and not quoted_name:  # `image:tag`, `a:hover`; a dump by Go has no blank either
        yield from dumps.value(text, found.start, at, found.rank)
        return
    if found.rank == "strong" and sep in (":", ": ") and text[at : at + 1] == "[":
        yield from dumps.composite(text, at)
        return
    if sep == "=":
        yield from _assigned(found, at)
    elif found.begins_line and ":" in sep and not quoted_name:
        yield from _yaml(found, at)
    else:
        yield from _bare(found, at, loose=not quoted_name, word=quoted_name)


def _quoted(found: _Found, at: int, *, loose: bool, alone: bool = False) -> Iterator[Span]:
    match = _QUOTED.match(found.text, at)
    if match is None or (alone and not match["closed"]):
        return
    value = match["quoted"]
    if alone and (
        not values.looks_secret(value) and (found.rank == "weak" or not re.search(r"[\d\W]|[a-z][A-Z]", value))
    ):
        return
    end = match.end("quoted")
    if not match["closed"]:
        end = match.start("quoted") + len(re.sub(r"[\s\"'`>)}\]]+$", "", value))
    if value == found.name or (match["q"] == "`" and re.search(r"\s", value)):
        return  # {"password": "password"}: a name for a name; a command in prose
    yield from found.judged(match.start("quoted"), end, loose=loose)


def _assigned(found: _Found, at: int) -> Iterator[Span]:
    """`NAME=value`, in an environment, a URL's query, a DSN or a log."""
    text = found.text
    opening = text[found.start - 1 : found.start]
    if opening in ('"', "'", "`") and (match := _TO_QUOTE.match(text, at)):
        yield from found.judged(at, match.end(), loose=False)
    elif (found.name.isupper() and not found.before.strip(" \t+")) and (match := _ENV.match(text, at)):
        if not values.code(match[0]) or not match[0].endswith((")", "]", "(", "[")):
            yield from found.judged(at, match.end(), loose=False)
    else:
        yield from _bare(found, at, loose=False)


def _bare(found: _Found, at: int, *, loose: bool, word: bool = False) -> Iterator[Span]:
    """word: a plain word is the name of a variable, as in `{"password": chosen}`."""
    match = _BARE.match(found.text, at)
    if match is None:
        return
    end = at + len(match[0].rstrip(".:")) if loose else match.end()
    value = found.text[at:end]
    following = found.text[match.end() : match.end() + 1]
    if values.code(value) or values.code(value + (following if following in "\"'`" else "")):
        return
    if word and re.fullmatch(r"[A-Za-z_.]+", value):
        return
    if loose and value.startswith("("):
        return
    yield from found.judged(at, end, loose=loose)


def _yaml(found: _Found, at: int) -> Iterator[Span]:
    """`name: value` on a line of its own: a strong name takes the whole line, as YAML does."""
    match = _LINE.match(found.text, at)
    if match is None or not match["value"] or match["value"][0] in "[{|>&*":
        return
    if found.rank == "weak" and re.search(r"\s", match["value"]):
        yield from _bare(found, at, loose=True)
    elif not values.code(match["value"]) and not match["value"].endswith(("{", "(", "[")):
        yield from found.judged(at, match.end("value"), loose=True)


def _block(found: _Found, match: re.Match[str]) -> Iterator[Span]:
    """The lines of a YAML block that are deeper than their name."""
    column = len(found.before) - len(found.before.lstrip())
    at = match.start("body")
    for line in match["body"].splitlines(keepends=True):
        depth = len(line) - len(line.lstrip())
        if line.strip() and depth <= column:
            return
        if line.strip():
            yield from found.judged(at + depth, at + len(line.rstrip()), loose=False)
        at += len(line)


def _element(found: _Found, at: int) -> Iterator[Span]:
    match = _ELEMENT.match(found.text, at)
    if (
        match
        and (found.rank == "strong" or values.looks_secret(match["value"]))
        and not re.search(r"\s", match["value"])
    ):
        yield from found.judged(at, match.end("value"), loose=not re.search(r"\d", match["value"]))


def _flag(found: _Found, at: int) -> Iterator[Span]:
    """`--password value`, and `-keypass value`."""
    if not found.name.startswith("-") or found.text[at : at + 1] in "-|>&;<":
        return
    if _QUOTED.match(found.text, at):
        yield from _quoted(found, at, loose=False)
    elif match := re.compile(r"\S+").match(found.text, at):
        value = match[0].rstrip("\"'`).,")
        if values.example(value) or (":" in value and re.search(r"(?:auth|creds|credentials)$", found.name)):
            return  # `--creds user:password` is of another family
        loose = value.isalpha()
        if found.name.startswith("--") or found.rank == "strong" or values.looks_secret(value):
            yield from found.judged(at, at + len(value), loose=loose and found.rank == "strong")


def _scalar(found: _Found, at: int) -> Iterator[Span]:
    """The value of an entry that has its name in another field: `- name: X_TOKEN` and `value: ...`."""
    if _QUOTED.match(found.text, at):
        yield from _quoted(found, at, loose=False)
    elif (match := _LINE.match(found.text, at)) and "\n" in found.text[found.end : at]:
        yield from found.judged(at, match.end("value"), loose=False)
    else:
        yield from _bare(found, at, loose=False)
