"""How secrets look in text: pure functions from text to text, one for each form.

Each finds one form (a PEM block, a URL with a password, a Secret in YAML or JSON, ...) and replaces the secret part,
and only that, by MASK.  All of them leave text that holds no secret byte for byte as it was, and are idempotent.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MASK = "[masked]"

_STRONG = (
    r"password|passphrase|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|client[_-]?secret"
    r"|client-key-data|client-certificate-data|(?:access|auth|bearer|id|identity|refresh|registry|session)[_-]?token"
)
_WEAK = r"token|secret|passwd|pwd"  # also ordinary words: their value must look like a secret
_KEY = rf"(?<![\w/.$-])(?P<key>[\w.-]{{0,64}}?(?:(?P<strong>{_STRONG})|(?P<weak>{_WEAK})))"
_QUOTE = r"\\*[\"']|&quot;|&\#34;|&\#x27;|&\#39;"
_WHOLE = r"\[masked\]|\d+ bytes\b|\$\{\w+\}|\$\(\w+\)|\{\{[^}\n]*\}\}|\{\w*\}|<[\w -]+>"  # not cut at their brackets
_BARE = rf"(?:{_WHOLE}|[^\s,;&\"'<>)\]}}\\]|,(?!\s|[\w.-]+=|$))+"

_PAIR = re.compile(
    rf"{_KEY}(?P<end>{_QUOTE})?(?P<sep>[ \t]*(?::=|=>|[:=])[ \t]*)"
    rf"(?:(?P<q>{_QUOTE})(?P<quoted>(?:(?!(?P=q))(?:\\.|[^\\\n]))*)(?P=q)|(?P<bare>{_BARE}))",
    re.IGNORECASE,
)
_YAML_LINE = re.compile(
    rf"^(?P<head>[ \t]*(?:- )*[\w.-]*?(?:{_STRONG}):[ \t]+)(?P<value>[^\s\"'|>{{\[].*?)(?P<tail>[ \t]+#.*)?$",
    re.IGNORECASE | re.MULTILINE,
)
_FLAG = re.compile(
    r"(?P<head>--(?:[\w-]+-)?(?:password|passphrase|token)[ \t]+|\blogin\b[^\n]*?[ \t]-p[ \t]+)(?P<value>[^\s-]\S*)"
)
_ENV = re.compile(
    rf"(?P<head>\bname:[ \t]*[\"']?[\w.-]*(?:{_STRONG}|{_WEAK})[\"']?[ \t]*\n[ \t]*value:[ \t]*)(?P<value>\S[^\n]*)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?P<head>\bauthorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:basic|bearer|token)[ \t]+)(?P<value>[^\s\"'<,]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<head>\bbearer[ \t]+)(?P<value>[\w.~+/-]{8,}=*)", re.IGNORECASE)
_DOCKER_AUTH = re.compile(r"(?P<head>[\"']auth[\"'][ \t]*:[ \t]*[\"'])(?P<value>[A-Za-z0-9+/]{8,}={0,2})(?=[\"'])")
_URL = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>?#]*:)(?P<value>[^\s/\"'<>?#]+)(?=@)", re.IGNORECASE)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_ISSUED = re.compile(
    r"(?<![\w-])(?:gh[pousr]_\w{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|dckr_pat_[\w-]{20,}|AKIA[0-9A-Z]{16})(?![\w-])"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
    r"(?:(?:(?!-----BEGIN).)*?-----END [A-Z0-9 ]*PRIVATE KEY-----|(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{16,})+)",
    re.DOTALL,
)
_PEM_BASE64 = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{30,}={0,2}")  # the base64 of "-----BEGIN "

_HARMLESS = re.compile(
    r"(?:true|false|null|none|nil|str|string|bytes|int|optional|required)\b.*"
    r"|\$[A-Z_][A-Z0-9_]*|\$\{\w+\}|\$\(\w+\)|\{\w*\}|\$?\{\{.*\}\}|<[\w -]+>|\*+|%s|\.{3}|…"  # references and ellipses
    r"|\d+ bytes"  # kubectl describe secret
    r"|[A-Za-z_.]+[(\[].*",  # a call or a lookup in source code
    re.IGNORECASE,
)


def mask_forms(text: str) -> str:
    """Mask every form of secret that can be told by its looks."""
    for step in (_private_keys, _yaml_secrets, _json_secrets, _credentials, _pairs):
        text = step(text)
    return text


def sensitive(key: str, value: str) -> bool:
    """Whether `value`, stored under `key` in a JSON object, is a secret."""
    match = re.fullmatch(rf"[\w.-]*?(?:(?P<strong>{_STRONG})|(?P<weak>{_WEAK}))", key, re.IGNORECASE)
    return match is not None and not _is_harmless(key, value, weak=bool(match["weak"]), bare=False)


def _is_harmless(key: str, value: str, *, weak: bool, bare: bool) -> bool:
    """bare: neither quoted nor joined to its key by a plain `=`, as in prose, YAML or source code."""
    if not value or value.startswith(MASK) or _HARMLESS.fullmatch(value):
        return True
    if key.lower().endswith("pwd") and value.startswith("/"):
        return True  # the shell's working directory
    if not weak:
        return False
    if bare:
        return not (len(value) >= 20 or (len(value) >= 8 and re.search(r"\d", value)))
    return len(value) < 4 or (value.isdigit() and len(value) < 6)


def _pairs(text: str) -> str:
    """`password=...`, `"token": "..."`, `--password ...`, `- name: X_TOKEN` with its `value:`."""
    text = _YAML_LINE.sub(_mask_value, text)
    text = _ENV.sub(_mask_value, _FLAG.sub(_mask_value, text))
    return _PAIR.sub(_mask_pair, text)


def _mask_pair(match: re.Match[str]) -> str:
    value = match["quoted"] if match["bare"] is None else match["bare"]
    bare = match["bare"] is not None and match["sep"] != "="
    if bare and match["sep"] == ":":  # `a:hover`, `image:tag`: in YAML a blank follows the colon
        return match[0]
    if _is_harmless(match["key"], value, weak=match["strong"] is None, bare=bare):
        return match[0]
    quote = match["q"] or ""
    return f"{match['key']}{match['end'] or ''}{match['sep']}{quote}{MASK}{quote}"


def _mask_value(match: re.Match[str]) -> str:
    if _is_harmless("", match["value"].strip("\"'"), weak=False, bare=False):
        return match[0]
    return match["head"] + MASK + (match.groupdict().get("tail") or "")


def _credentials(text: str) -> str:
    """Authorization headers, bearer tokens, JWTs, issuers' tokens, `user:password@` in URLs, Docker's config.json."""
    for pattern in (_HEADER, _URL, _DOCKER_AUTH):
        text = pattern.sub(_mask_value, text)
    text = _BEARER.sub(lambda m: m[0] if not re.search(r"\d", m["value"]) else m["head"] + MASK, text)
    return _ISSUED.sub(MASK, _JWT.sub(MASK, text))


def _private_keys(text: str) -> str:
    return _PEM_BASE64.sub(_mask_encoded_key, _PEM.sub(MASK, text))


def _mask_encoded_key(match: re.Match[str]) -> str:
    try:
        head = base64.b64decode(match[0][:44])
    except binascii.Error:
        return match[0]
    return MASK if b"PRIVATE KEY" in head else match[0]


# ---- `kind: Secret` in YAML: lines and columns, since what a cell prints is rarely a whole document

_KIND_LINE = re.compile(r"(?P<indent>[ \t]*(?:- )*)[\"']?kind[\"']?:[ \t]*[\"']?Secret[\"']?[ \t]*(?:#.*)?$")
_DATA_LINE = re.compile(r"(?P<head>[ \t]*(?:- )*(?:data|stringData):)(?P<value>.*)$")
_ENTRY = re.compile(r"(?P<head>[ \t]*[\"']?[\w.-]+[\"']?:[ \t]+)(?P<value>.+)$")
_INDENT = re.compile(r"[ \t]*(?:- )*")


def _yaml_secrets(text: str) -> str:
    if "Secret" not in text:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if kind := _KIND_LINE.match(line):
            _mask_yaml_object(lines, number, len(kind["indent"]))
    return "\n".join(lines)


def _column(line: str) -> int:
    match = _INDENT.match(line)
    return match.end() if match else 0


def _mask_yaml_object(lines: list[str], kind: int, column: int) -> None:
    """Mask `data` and `stringData` of the mapping at `column` that holds line `kind`."""
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
_Span = tuple[int, int]


@dataclass
class _Frame:
    """An object or a list that is open: what it says it is, and where the values are that may have to go."""

    holds_data: bool = False  # this is the value of a key `data` or `stringData`
    key: str = ""
    said: dict[str, str] = field(default_factory=dict)  # its strings kind, name
    value: _Span | None = None  # of the key `value`
    data: list[_Span] = field(default_factory=list)
    orphans: list[_Span] = field(default_factory=list)  # data of objects inside that do not say their kind


def _json_secrets(text: str) -> str:
    if "Secret" not in text and not re.search(r"\bvalue\b", text):
        return text
    for start, end in sorted(set(_json_spans(text)), reverse=True):
        text = text[:start] + MASK + text[end:]
    return text


def _json_spans(text: str, offset: int = 0) -> Iterator[_Span]:
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


def _string(token: re.Match[str], text: str, stack: list[_Frame], offset: int) -> Iterator[_Span]:
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


def _close(frame: _Frame, parent: _Frame) -> Iterator[_Span]:
    kind = frame.said.get("kind", "")
    if kind == "Secret":
        yield from frame.data
    elif kind == "SecretList":
        yield from frame.orphans
    elif not kind:
        parent.orphans += frame.orphans + frame.data
    if frame.value and sensitive(frame.said.get("name", ""), "unknown"):
        yield frame.value
