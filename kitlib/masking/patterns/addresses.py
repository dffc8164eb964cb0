"""Secrets in addresses: `scheme://user:password@host`, a token in place of the user, and the data source names of databases."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kitlib.masking.patterns import values
from kitlib.masking.patterns.spans import Span, lowered

_USERINFO = re.compile(
    r"(?<=://)[^\s/:@\"'<>?#\\]{0,200}:"
    r"(?:(?P<value>[^\s/\"'<>?#\\]{1,500})(?=@)|(?!\d{1,5}(?![^/?#\s]))(?P<open>[^\s\"'<>@\\]{1,200})(?=@[\w.\[-]+[:/?,\s\"']))"
)
_TOKEN_USER = re.compile(
    r"(?<=://)(?P<value>(?:gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|oas)-|hf_|npm_|pypi-|dckr_pat_|sk-|xox[a-z]-|x-token-)[\w.-]+"
    r"|(?=[^\s/@]*\d)[\w.-]{20,200})(?=@)"
)
_GO_HOST = re.compile(
    r"@(?:(?:tcp\d?|udp|unix|cloudsql[\w-]*|[\w-]{0,30})\([^\s()]*\)|/\w)"
)  # Go's MySQL driver: user:password@tcp(host)/name
_GO_USER = re.compile(r"(?<![\w:/@.-])[\w.%+$-]{1,100}:(?P<value>[^\s\"'`<>]{1,200})$")
_ORACLE = re.compile(
    r"(?i:\b(?:sqlplus|expdp|impdp|rman|sqlldr)\b[^\n]{0,80}?\s|jdbc:oracle:\w+:)[\w$]+/(?P<value>[^\s@\"'/]+)(?=@)"
)
_ORACLE_WORDS = ("sqlplus", "jdbc:oracle", "expdp", "impdp", "rman target", "sqlldr")
_TELEGRAM = re.compile(r"(?<=/bot)\d{5,16}:[\w-]{30,}")


def spans(text: str) -> Iterator[Span]:
    """Passwords and tokens of addresses."""
    if "://" in text:
        for match in _USERINFO.finditer(text):
            group = "value" if match["value"] else "open"
            if not values.placeholder(match[group]):
                yield match.span(group)
        for match in _TOKEN_USER.finditer(text):
            yield match.span("value")
        yield from (match.span() for match in _TELEGRAM.finditer(text))
    for match in _GO_HOST.finditer(text):
        start = max(0, match.start() - 300)
        if (user := _GO_USER.search(text[start : match.start()])) and not values.placeholder(user["value"]):
            yield start + user.start("value"), match.start()
    if any(word in lowered(text) for word in _ORACLE_WORDS):
        for match in _ORACLE.finditer(text):
            if not values.placeholder(match["value"]):
                yield match.span("value")
