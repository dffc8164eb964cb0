"""How Go prints values: `{User:x Password:y}`, `map[password:y]`, `[]byte{0x68, 0x75}`: no quotes, and no blank after the colon."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kitlib.masking.patterns import values
from kitlib.masking.patterns.names import Rank
from kitlib.masking.patterns.spans import Span

_BACK = 2048  # characters in which the bracket that opened a dump is looked for
_BRACKET = re.compile(r"[{}\[\]]")
_PLAIN = re.compile(r"(?:(?! [A-Za-z_][\w.-]*:)[^\]}\n])*")  # up to the next field, so that a value may have blanks
_COMPOSITE = re.compile(r"(?:&|\*)?(?:map\[|\[\]?|[\w.*\[\]]{0,80}\{)")
_TOKEN = re.compile(r"[^\s,;&\"'`<>)\]}\\]+")


def value(text: str, name: int, at: int, rank: Rank) -> Iterator[Span]:
    """The value at `at` of the field at `name`, if the two are in a dump; else what looks like a secret all the same."""
    opened = _opened(text, name)
    if not opened:
        match = _TOKEN.match(text, at) if rank == "strong" else None
        if match and values.looks_secret(match[0]) and text[name - 1 : name] not in ("/", "@"):
            yield at, match.end()
        return
    if _COMPOSITE.match(text, at):
        if rank == "strong":
            yield from composite(text, at)
        return
    match = _PLAIN.match(text, at)
    end = match.end() if match else at
    if opened == "{" and text.count(",", at, end):  # a flow mapping, or an object in JavaScript: a comma ends the value
        end = text.find(",", at, end)
    found = text[at:end].rstrip()
    if values.secret("", found, loose=False, how=rank) and not values.prose(found):
        yield at, at + len(found)


def composite(text: str, at: int) -> Iterator[Span]:
    """A list, a map or a struct at `at` as a whole, if it ends on its line: the bytes or the parts of a secret."""
    match = _COMPOSITE.match(text, at)
    if match is None:
        return
    depth, last = 0, text.find("\n", at)
    for bracket in _BRACKET.finditer(text, at, min(at + _BACK, last if last >= 0 else len(text))):
        depth += 1 if bracket[0] in "{[" else -1
        if depth == 0:
            if text[match.end() : bracket.start()].strip() and bracket.start() > match.end():
                yield at, bracket.end()
            return


def _opened(text: str, name: int) -> str:
    """The bracket that is open at `name`, if it opens a dump: `{` or `map[`."""
    if text[name - 1 : name] not in ("{", "[", " ", ","):
        return ""
    start = max(text.rfind("\n", max(0, name - _BACK), name) + 1, name - _BACK, 0)
    depth = 0
    for bracket in reversed(list(_BRACKET.finditer(text, start, name))):
        depth += 1 if bracket[0] in "}]" else -1
        if depth < 0:
            opens = bracket[0] == "{" or text[max(0, bracket.start() - 3) : bracket.start()] == "map"
            if re.match(r"\s*[\"'`.#]|\s*[\w-]+:\s", text[bracket.end() : bracket.end() + 80]):
                return ""  # JSON, CSS, or a flow mapping in YAML
            return bracket[0] if opens else ""
    return ""
