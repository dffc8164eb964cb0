"""Secrets in HTTP headers: Authorization in all its schemes, cookies, and a bearer token on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kitlib.masking.patterns import values
from kitlib.masking.patterns.spans import Span, lowered

_SCHEMES = r"basic|bearer|token|api-?key|api-?token|key|negotiate|ntlm|splunk|sso-key|genie-?key|snowflake|jwt|pat|oauth|apikey|bot"
_AUTHORIZATION = re.compile(
    r"authorization\\*[\"']?\]?[ \t]*(?:=>|->|[:=,])[ \t]*(?:\[\]string\{)?\[?[ \t]*\\*[\"'`]?"
    rf"(?:(?:{_SCHEMES})(?:[ \t]+|%20|\+|:[ \t]*|=[ \t]*\\*[\"']?)(?P<value>[^\s\"'`<>,\\\]]+)|(?P<alone>[\w=~@.+/:-]{{8,}}))",
    re.IGNORECASE,
)
_PARAMETERS = re.compile(
    r"authorization\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?(?:digest|hawk|aws4-hmac-sha256|oauth|signature)\b", re.IGNORECASE
)
_PARAMETER = re.compile(
    r"\b(?:response|cnonce|mac|signature|oauth_\w*(?:token|signature)|credential)=\\*\"?(?P<value>[^\s\",\\]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\bbearer[ \t]+(?P<value>[\w.~+/-]{8,}=*)", re.IGNORECASE)
_COOKIES = re.compile(
    r"(?<![\w-])(?P<set>set-)?cookie\\*[\"']?\]?[ \t]*[:=][ \t]*\[?\\*[\"'`]?(?=[\w.-]{1,64}=)", re.IGNORECASE
)
_COOKIE = re.compile(r"[\w.-]{1,64}=(?P<value>[^\s;\"'`,\\\]]+)")
_FIELDS = 4096  # characters of a header that are looked at
_LOGIN = re.compile(
    r"[\"']_?auth[\"']?[ \t]*[:=][ \t]*[\"'](?P<value>[A-Za-z0-9+/]{8,}={0,2})(?=[\"'])"
)  # Docker's config.json


def spans(text: str) -> Iterator[Span]:
    """The credentials in headers."""
    lower = lowered(text)
    if "authorization" in lower:
        yield from _authorization(text)
    if "bearer" in lower:
        yield from (match.span("value") for match in _BEARER.finditer(text) if re.search(r"\d", match["value"]))
    if "cookie" in lower:
        done = 0
        for match in _COOKIES.finditer(text):
            if match.start() >= done:
                done = _line_end(text, match.end())
                yield from _cookies(text, match, done)
    if "auth" in lower:
        yield from (match.span("value") for match in _LOGIN.finditer(text))


def _authorization(text: str) -> Iterator[Span]:
    for match in _AUTHORIZATION.finditer(text):
        group = "value" if match["value"] else "alone"
        value, after = match[group], text[match.end() : match.end() + 80]
        if values.placeholder(value) or values.prose(value, after) or (group == "alone" and not _credential(value)):
            continue
        yield match.span(group)
    done = 0
    for match in _PARAMETERS.finditer(text):
        if match.start() >= done:
            done = _line_end(text, match.end())
            yield from (found.span("value") for found in _PARAMETER.finditer(text, match.end(), done))


def _credential(value: str) -> bool:
    return values.looks_secret(value) and bool(re.search(r"\d", value)) and not re.match(r"(?i)aws4-|https?:", value)


def _cookies(text: str, match: re.Match[str], end: int) -> Iterator[Span]:
    """The values of a Cookie header; of Set-Cookie the first, as the others are its attributes."""
    for found in _COOKIE.finditer(text, match.end(), end):
        if not values.placeholder(found["value"]):
            yield found.span("value")
        if match["set"]:
            return


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start, start + _FIELDS)
    return end if end >= 0 else min(len(text), start + _FIELDS)
