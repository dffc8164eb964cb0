"""Secrets in command lines, where a letter stands for a password: `curl -u user:password`, `mysql -ppassword`, `redis-cli -a password`.

An option with a name (`--password value`) is a name with a value, for kitlib/masking/patterns/pairs.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kitlib.masking.patterns import values
from kitlib.masking.patterns.spans import Span, lowered, places

_GAP = r"(?:[^\n|;]|\\\n){0,400}?[ \t]"  # other options of the same command, also on continued lines
_ARGUMENT = r"(?P<quote>\\*[\"'])?(?P<value>(?(quote)(?:(?!(?P=quote))[^\n])+|[^\s\"'|;&<>`]+))"
_PAIR = r"(?P<quote>\\*[\"'])?(?:\{?[^\s:\"'`<>]{0,100}\}?)(?:(?P=quote):(?P=quote)?|:)(?!//)" + (
    r"(?:(?P<inner>[\"']))?(?P<value>(?(quote)(?:(?!(?P=quote))[^\n])+|(?(inner)[^\n\"']+|[^\s\"'|;&<>`]+)))"
)
_TWO_QUOTED = r"\"[^\"\n]{0,100}\":\"(?P<value>[^\"\n]+)\""

# Words, of which a command line has one, and where its secret stands.
_COMMANDS: tuple[tuple[str, str], ...] = (
    ("curl", rf"\bcurl\b{_GAP}(?:-[a-zA-Z]*[uU]|--user|--proxy-user)(?:=|[ \t]*){_TWO_QUOTED}"),
    ("curl", rf"\bcurl\b{_GAP}(?:-[a-zA-Z]*[uU]|--user|--proxy-user)(?:=|[ \t]*){_PAIR}"),
    ("curl", r"\bcurl\b" + _GAP + r"-[a-zA-Z]*u[ \t]*\"(?P<value>[^\s:\"$]{6,}):\""),
    (
        "--user|--proxy-user|creds|--auth|basic-auth|--credentials| -u ",
        rf"(?<![\w-])(?:--(?:(?:proxy-)?user|(?:\w+-)?creds|(?:basic-)?auth|credentials)(?:=|[ \t]+)|-u[ \t]+)(?!\d+:\d+(?:\s|$)){_PAIR}",
    ),
    ("mysql", rf"\b(?:mysql\w*|mariadb[\w-]*)\b{_GAP}-p(?=[^\s-]){_ARGUMENT}"),
    ("redis-cli", rf"\bredis-cli\b{_GAP}(?:-a|--pass)[ \t]+{_ARGUMENT}"),
    ("login", rf"\blogin\b{_GAP}-p(?:[ \t]+|=)(?!-){_ARGUMENT}"),
    ("mongo", rf"\bmongo\w*\b{_GAP}-p[ \t]+(?!-){_ARGUMENT}"),
    ("sshpass", rf"\bsshpass\b{_GAP}-p[ \t]*{_ARGUMENT}"),
    ("cqlsh", rf"\bcqlsh\b{_GAP}-p[ \t]*{_ARGUMENT}"),
    ("ldap", rf"\bldap\w+\b{_GAP}-w[ \t]*{_ARGUMENT}"),
    ("sqlcmd", rf"\b(?:sqlcmd|bcp)\b{_GAP}-P[ \t]*{_ARGUMENT}"),
    ("htpasswd", rf"\bhtpasswd\b[ \t]+-[a-zA-Z]*b[a-zA-Z]*[ \t]+(?:[^\s-]\S*[ \t]+){{1,2}}?{_ARGUMENT}(?=\s|$)"),
    ("zip", rf"\b(?:zip|unzip)\b{_GAP}-P[ \t]*{_ARGUMENT}"),
    ("7z", rf"\b7za?\b{_GAP}-p(?=[^\s-]){_ARGUMENT}"),
    ("smbclient", rf"\bsmb\w+\b{_GAP}-U[ \t]*[^\s%]+%{_ARGUMENT}"),
    ("openssl", rf"\bopenssl\b{_GAP}(?:-pass(?:in|out)?[ \t]+pass:|-k[ \t]+){_ARGUMENT}"),
    ("pass:", rf"-pass(?:in|out)?[ \t]+pass:{_ARGUMENT}"),
    ("ssh-keygen", rf"\bssh-keygen\b{_GAP}-[NP][ \t]+{_ARGUMENT}"),
    (
        "chpasswd",
        r"\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)?[\"']?[\w.-]+:(?P<value>[^\s\"'|]+)[\"']?[ \t]*\|[^\n|]*\bchpasswd\b",
    ),
    (
        "stdin",
        r"\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)?(?:[\"']%s[\"'][ \t]+)?(?P<quote>[\"'])?(?P<value>[^\n|\"']+?)(?P=quote)?[ \t]*"
        r"\|[^\n|]*(?:--[\w-]*-stdin|--with-token|--stdin)\b",
    ),
    (
        "rabbitmqctl",
        rf"\brabbitmqctl\b[^\n]{{0,80}}?(?:add_user|change_password|authenticate_user)[ \t]+\S+[ \t]+{_ARGUMENT}",
    ),
    ("mc ", rf"\bmc[ \t]+(?:alias[ \t]+set|config[ \t]+host[ \t]+add)[ \t]+\S+[ \t]+\S+[ \t]+\S+[ \t]+{_ARGUMENT}"),
    ("vault", rf"\bvault[ \t]+login[ \t]+(?![-\w]+=)(?!-){_ARGUMENT}"),
    ("etcdctl", rf"\betcdctl\b{_GAP}user[ \t]+add[ \t]+[^\s:]+:{_ARGUMENT}"),
    ("net user", rf"\bnet[ \t]+user[ \t]+\S+[ \t]+(?![/*]){_ARGUMENT}"),
    ("from-literal", r"--from-literal[= \t]+[\"']?[\w.-]+=(?P<value>[^\s\"'\\]+|(?<=[\"'])[^\n\"']+)"),
    ("from-literal", r"--from-literal[= \t]+(?P<quote>[\"'])[\w.-]+=(?P<value>[^\n\"']+)(?P=quote)"),
    ("from-literal", r"--from-literal[= \t]+[\w.-]+=(?P<quote>[\"'])(?P<value>[^\n\"']+)(?P=quote)"),
    ("configure set", rf"\bconfigure[ \t]+set[ \t]+[\w.]*(?:secret|token|password)[\w.]*[ \t]+{_ARGUMENT}"),
    (
        "config set",
        rf"\bconfig[ \t]+set[ \t]+\S*(?:_auth\w*|[Pp]assword|[Tt]oken|[Ss]ecret|requirepass|masterauth)[ \t=]+{_ARGUMENT}",
    ),
    ("CONFIG SET", rf"\bCONFIG[ \t]+SET[ \t]+(?:requirepass|masterauth)[ \t]+{_ARGUMENT}"),
    ("requirepass", r"\brequirepass[ \t]+(?P<value>[^\s\"']+)"),
    ("masterauth", r"\bmasterauth[ \t]+(?P<value>[^\s\"']+)"),
    ("AUTH", r"^(?:[\w.:]+>[ \t]*)?AUTH[ \t]+(?:[a-z]\w*[ \t]+)?(?P<value>[^\s\"']*\d[^\s\"']*)[ \t]*$"),
    ("password", r"(?m:^|[ \t])login[ \t]+\S+\s+password[ \t]+(?P<value>\S+)"),  # .netrc
    ("password", r"(?m:^)[ \t]*password[ \t]+(?P<value>(?=\S*\d)\S+)[ \t]*$"),
    (
        "password '|password = '|identified by '",
        r"(?i:\b(?:identified[ \t]+by|(?:with|encrypted|set)[ \t]+password|password)[ \t]+(?:=[ \t]*)?)'(?P<value>[^'\n]+)'",
    ),  # SQL
)
_PATTERNS = tuple((words.lower().split("|"), re.compile(pattern, re.MULTILINE)) for words, pattern in _COMMANDS)
_BEFORE, _BEHIND = 300, 1000  # characters around its word in which a command is looked for
_VAULT = re.compile(r"\bvault[ \t]+(?:kv[ \t]+(?:put|patch)|write)\b(?P<rest>[^\n|;]*)")
_FIELD = re.compile(r"(?<=\s)[\w.-]+=(?P<quote>[\"'])?(?P<value>(?(quote)[^\"'\n]+|[^\s\"'@]\S*))")


def spans(text: str) -> Iterator[Span]:
    """Passwords of command lines, SQL and .netrc."""
    lower = lowered(text)
    for words, pattern in _PATTERNS:
        for start, end in _windows(lower, words):
            for match in pattern.finditer(text, start, end):
                value = match["value"]
                if values.placeholder(value) or values.example(value):
                    continue
                if not values.prose(value, text[match.end() : match.end() + 80]):
                    yield match.span("value")
    if "vault" in lower:
        for match in _VAULT.finditer(text):
            yield from _fields(text, *match.span("rest"))


def _windows(lower: str, words: list[str]) -> Iterator[Span]:
    """The parts of a text that are near one of the words, and do not overlap."""
    start, end = 0, 0
    for at in sorted(at for word in words if word in lower for at in places(lower, word)):
        if at > end:
            if end:
                yield start, end
            start = max(end, at - _BEFORE)
        end = min(len(lower), at + _BEHIND)
    if end:
        yield start, end


def _fields(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _FIELD.finditer(text, start, end):
        if not values.placeholder(match["value"]):
            yield match.span("value")
