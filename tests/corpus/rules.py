"""Secrets as gitleaks knows them: its rules are fetched as a Go module, pinned by go.sum, and secrets are made from their patterns.

Nothing of gitleaks is kept here.  Its patterns are of Go's dialect: what of it Python has not is written in Python's first.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import rstr

from kitlib.host import proc, tools

MODULE = "github.com/zricethezav/gitleaks/v8"
SAMPLES = 4  # of each rule
# Forms of a whole command, a manifest or a file, which tests/unit/test_patterns.py has.
WHOLE = {
    *(
        "curl-auth-header",
        "curl-auth-user",
        "kubernetes-secret-yaml",
        "nuget-config-password",
        "private-key",
        "pkcs12-file",
    ),
    *("freemius-secret-key", "sidekiq-sensitive-url", "jwt-base64"),
}
_NAMED = r"[\w.-]{0,50}?"  # how a pattern begins that wants a name in front of its secret
_DIALECT = (
    (r"\(\?-?[is]+\)", ""),
    (r"\(\?-?[is]+:", "(?:"),
    (r"\[\[:alnum:\]\]", "[A-Za-z0-9]"),
    (r"\\z", r"\\Z"),
    (r"(?<=[a-z])\.(?=[a-z])", r"\."),  # hooks.slack.com
)
_COUNT = re.compile(r"(?P<atom>\[(?:\\.|[^\]])+\]|\\\w|\([^()]*\))\{(?P<least>\d+)(?P<open>,?)(?P<most>\d*)\}")
_MOST = 90
BY_NAME = {  # how programs print a value with its name
    "environment": "{NAME}={secret}",
    "JSON": '{{"id": 7, "{name}": "{secret}"}}',
    "YAML": "app:\n  {name}: {secret}\n  mode: fast",
    "Go's %+v": "{{ID:7 {Name}:{secret} Mode:fast}}",
    "Go's map": "map[id:7 {name}:{secret}]",
    "Python's repr": "Config(id=7, {name}='{secret}')",
    "source code": '{camel} := "{secret}"',
    "a log": "time=2026-11-28T10:00:00Z level=INFO {name}={secret} id=7",
}
ALONE = {  # and one without
    "prose": "it said {secret} and went on",
    "a line": "{secret}",
    "JSON": '{{"id": 7, "value": "{secret}"}}',
    "YAML": "app:\n  value: {secret}\n",
    "Go's %+v": "{{ID:7 Value:{secret} Mode:fast}}",
    "HTML": "<td>{secret}</td>",
}


@dataclass(frozen=True)
class Rule:
    """id: gitleaks' name of it.  pattern: of the secret alone, in Python's dialect."""

    id: str
    pattern: str
    named: bool

    @property
    def kind(self) -> str:
        """How its secrets can be recognised: by their prefix, by a name beside them, or that they only identify."""
        if re.search(r"-id$|-pub(?:lic)?(?:-api)?-key$|-user-api-id$", self.id) and self.named:
            return "identifier"
        return "named" if self.named else "prefix"

    def secrets(self) -> Iterator[str]:
        """The same few each time."""
        made = rstr.Rstr(random.Random(self.id))  # noqa: S311
        for _ in range(SAMPLES):
            yield made.xeger(self.pattern).strip().strip("\"'")

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """Notation, text and the secret in it."""
        words = self.id.split("-")
        names = {
            "NAME": "_".join(words).upper(),
            "name": "_".join(words),
            "Name": "".join(map(str.capitalize, words)),
            "camel": words[0] + "".join(map(str.capitalize, words[1:])),
        }
        for secret in self.secrets():
            for notation, text in (BY_NAME if self.named else ALONE).items():
                yield notation, text.format(secret=secret, **names), secret


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule that has a pattern for a secret of its own."""
    return tuple(_rules())


def _rules() -> Iterator[Rule]:
    told = proc.run(
        [str(tools.go()), "mod", "download", "-json", MODULE], cwd=Path(__file__).parent, env=tools.go_env()
    )
    table = tomllib.loads((Path(json.loads(told)["Dir"]) / "config" / "gitleaks.toml").read_text())
    for rule in table["rules"]:
        if rule["id"] in WHOLE:
            continue
        pattern = str(rule["regex"])
        named = pattern.replace("(?i)", "").startswith(_NAMED)
        yield Rule(rule["id"], _python(_group(pattern, rule.get("secretGroup", 1))), named)


def _group(pattern: str, number: int) -> str:
    """The source of a group, or the whole pattern when it has none."""
    found, depth, start, in_class = 0, 0, -1, False
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            continue
        if char == "[" and not in_class:
            in_class = True
        elif char == "]" and in_class and pattern[at - 1] != "[":
            in_class = False
        elif char == "(" and not in_class:
            depth += 1
            if pattern[at + 1] != "?" and start < 0:
                found += 1
                if found == number:
                    start, depth = at + 1, 1
        elif char == ")" and not in_class:
            depth -= 1
            if start >= 0 and depth == 0:
                return pattern if pattern[at + 1 : at + 2] == "{" else pattern[start:at]
        at += 1
    return pattern


def _python(pattern: str) -> str:
    for go, python in _DIALECT:
        pattern = re.sub(go, python, pattern)
    return _COUNT.sub(_least, pattern)


def _least(count: re.Match[str]) -> str:
    """The least of an open or a large count, in parts: rstr repeats nothing more than a hundred times."""
    least = int(count["least"])
    if least < _MOST and not (count["open"] == "," and not count["most"]):
        return count[0]
    return f"{count['atom']}{{{_MOST}}}" * (least // _MOST) + f"{count['atom']}{{{least % _MOST}}}"
