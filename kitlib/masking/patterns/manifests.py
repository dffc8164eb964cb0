"""`kind: Secret` in YAML, in JSON and in Python's repr: all its data, whatever the keys are called, also in text that is cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kitlib.masking.patterns import names
from kitlib.masking.patterns.spans import MASK, Span

# ---- `kind: Secret` in YAML: lines and columns, since what a cell prints is rarely a whole document

_KIND_LINE = re.compile(r"(?P<indent>[ \t]*(?:- )*)[\"']?kind[\"']?:[ \t]*[\"']?Secret[\"']?[ \t]*(?:#.*)?$")
_DATA_LINE = re.compile(r"(?P<head>[ \t]*(?:- )*(?:data|stringData):)(?P<value>.*)$")
_ENTRY = re.compile(r"(?P<head>[ \t]*[\"']?[\w.-]+[\"']?:[ \t]+)(?P<value>.+)$")
_INDENT = re.compile(r"[ \t]*(?:- )*")


def mask_yaml(text: str) -> str:
    """The text with the data of each Secret in YAML masked; every line keeps its key."""
    if "Secret" not in text:
        return text
    lines = text.split("\n")
    done: dict[int, int] = {}  # for each column, the line up to which its objects are masked
    for number, line in enumerate(lines):
        kind = _KIND_LINE.match(line)
        if kind and number >= done.get(column := len(kind["indent"]), 0):
            done[column] = _mask_yaml_object(lines, number, column)
    return "\n".join(lines)


def _column(line: str) -> int:
    match = _INDENT.match(line)
    return match.end() if match else 0


def _mask_yaml_object(lines: list[str], kind: int, column: int) -> int:
    """Mask `data` and `stringData` of the mapping at `column` that holds line `kind`; where it ends."""
    first, last = kind, kind + 1
    while first > 0 and not _starts_item(lines[first], column) and _belongs(lines[first - 1], column):
        first -= 1
    while last < len(lines) and _belongs(lines[last], column) and not _starts_item(lines[last], column):
        last += 1
    for number in range(first, last):
        data = _DATA_LINE.match(lines[number])
        if data and _column(lines[number]) == column:
            if data["value"].strip() not in {"", "{}", MASK}:
                lines[number] = f"{data['head']} {MASK}"
            _mask_entries(lines, number + 1, last, column)
    return last


def _belongs(line: str, column: int) -> bool:
    return not line.strip() or (_column(line) >= column and not line.startswith("---"))


def _starts_item(line: str, column: int) -> bool:
    return line.lstrip().startswith("- ") and _column(line) == column


def _mask_entries(lines: list[str], first: int, last: int, column: int) -> None:
    keys: int | None = None  # the entries' column; what is deeper continues a value
    for number in range(first, last):
        line = lines[number]
        if not line.strip():
            continue
        depth = _column(line)
        if depth <= column:
            return
        keys = depth if keys is None else keys
        entry = _ENTRY.match(line) if depth == keys else None
        if entry:
            lines[number] = entry["head"] + MASK
        elif depth > keys:
            lines[number] = line[:depth] + MASK


# ---- `"kind": "Secret"` in JSON and in Python's repr: tokens and a stack, so that the layout stays; also cut-off text

_TOKEN = re.compile(
    r"(?P<q>\\*\"|&quot;|&\#34;)(?P<text>(?:\\.|[^\\\n])*?)(?P=q)"
    r"|(?<=[{\[,:\s(])'(?P<single>(?:[^'\\\n]|\\.)*)'"
    r"|(?P<mark>[{}\[\]])"
)


_GO_DATA = re.compile(
    r"\b(?:Data:map\[string\]\[\](?:byte|uint8)|StringData:map\[string\]string)\{(?P<data>[^{}\n]+)\}"
)


@dataclass
class _Frame:
    """An object or a list that is open: what it says it is, and where the values are that may have to go."""

    holds_data: bool = False  # this is the value of a key `data` or `stringData`
    key: str = ""
    said: dict[str, str] = field(default_factory=dict)  # its strings kind, name
    value: Span | None = None  # of the key `value`
    data: list[Span] = field(default_factory=list)
    orphans: list[Span] = field(default_factory=list)  # data of objects inside that do not say their kind


def spans(text: str) -> Iterator[Span]:
    """The data of Secrets in JSON or in Python's repr, the values of entries whose `name` names a secret, and what Go prints of Secrets."""
    if "Secret" in text:
        yield from _json_spans(text)
        yield from (match.span("data") for match in _GO_DATA.finditer(text))


def _json_spans(text: str, offset: int = 0) -> Iterator[Span]:
    stack = [_Frame()]
    for token in _TOKEN.finditer(text):
        mark = token["mark"]
        if mark in ("{", "["):
            stack.append(_Frame(holds_data=mark == "{" and stack[-1].key in ("data", "stringData", "string_data")))
        elif mark and len(stack) > 1:
            yield from _close(stack.pop(), stack[-1])
        elif not mark:
            yield from _string(token, text, stack, offset)
    while len(stack) > 1:  # the text was cut off
        yield from _close(stack.pop(), stack[-1])


def _string(token: re.Match[str], text: str, stack: list[_Frame], offset: int) -> Iterator[Span]:
    group = "text" if token["q"] else "single"
    value, frame = token[group], stack[-1]
    if re.match(r"\s*:", text[token.end() : token.end() + 20]):
        frame.key = value
        return
    span = (offset + token.start(group), offset + token.end(group))
    if frame.holds_data and value and value != MASK and len(stack) > 1:
        stack[-2].data.append(span)
    elif frame.key == "value" and value:
        frame.value = span
    elif frame.key in ("kind", "name"):
        frame.said[frame.key] = value
    elif "Secret" in value and '\\"' in value:  # JSON inside a JSON string: last-applied-configuration
        yield from _json_spans(value, span[0])


def _close(frame: _Frame, parent: _Frame) -> Iterator[Span]:
    kind = frame.said.get("kind", "")
    if kind == "Secret":
        yield from frame.data
    elif kind == "SecretList":
        yield from frame.orphans
    elif not kind:
        parent.orphans += frame.orphans + frame.data
    if frame.value and names.rank(frame.said.get("name", "")):
        yield frame.value
