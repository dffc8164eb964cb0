"""Kinds of values: a placeholder, a reference, a call, a word of prose, or something that looks like a secret."""

from __future__ import annotations

import re

from kitlib.masking.patterns.names import Rank, rank, words
from kitlib.masking.patterns.spans import MASK

_PLACEHOLDER = re.compile(
    r"(?:true|false|null|none|nil|undefined|str|string|bytes|int|optional|required|redacted|hidden|omitted|unset|empty|any|interface"
    r"|enabled|disabled|yes|no)(?:[\s,)|=?;*.:].*)?"
    r"|\$[A-Z_][A-Z0-9_]*|\$\w+|\$\{[^}\n]*\}|\$\([^)\n]*\)|%[A-Z_]+%|%[+#]?[sqvdTxp]|%\(\w+\)s|\{\}"
    r"|\$?\{\{.*\}\}|<[\w .-]*>|<set to the key .*|<unset>|<nil>|<redacted>|\*+|x{3,}|\.{2,}|…|-+|_+|\?+|#.*|@\w+"
    r"|\(\([\w.:-]+\)\)|(?:\.{1,2}|~)/\S*|\d+ bytes|\[[a-z ]*\]|0x[0-9a-f]{8,16}"
    r"|(?:\d+ )?(?:bytes|entries|items|seconds)",
    re.IGNORECASE,
)
_BRACED = re.compile(r"\$?\{[A-Za-z_][\w.]*(?:\(\))?(?:![rs])?\}|\$?\{\}")
_CALL = re.compile(r"(?:await |new )?[A-Za-z_][\w.]*(?:\(.*|\[[\"'\w]*\]?.*)")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_RESOURCE = re.compile(r"[a-z]+(?:-[a-z]+)+")  # registry-credentials, the name of an object
_PATH = re.compile(r"(?:~|\.{1,2})?(?:/[\w.@+-]+){2,}/?|file:.*")
_WORDS = re.compile(r"[A-Za-z][a-z'-]*[.,;:!?)]*")
_FUNCTION_WORDS = words(
    "a an the is are was were be been must may can cannot should will would not no and or of to for in on at by with from as it "
    "its this that these those your their his her our my you we they if when then than too so only also has have had does do did "
    "required missing invalid expired wrong incorrect empty optional unknown failed denied"
)
_ORDINARY_WORDS = words(
    "ok yes no true false all none failed passed skipped success error string text number value name default n/a na"
)
_TYPICAL = re.compile(
    r"[a-z]*\d+(?:\.\d+)*(?:[a-z%]{0,3})?|v?\d+(?:\.\d+)+\S*", re.IGNORECASE
)  # 12, 30s, 5.2MB, v1.2.3


def placeholder(value: str) -> bool:
    """Whether it stands for a value instead of being one: `$TOKEN`, `<your password>`, `None`, or the mask itself."""
    if not value or value.strip("\"'`.,;:)]}") in ("", MASK) or _PLACEHOLDER.fullmatch(value):
        return True
    return "{" in value and not re.search(r"\w", _BRACED.sub("", value))


def example(value: str) -> bool:
    """Whether it is the word that a manual has in a secret's place: `--password value`."""
    return value.lower() in (
        "value",
        "password",
        "passwd",
        "pass",
        "pw",
        "pwd",
        "secret",
        "token",
        "key",
        "user",
        "name",
        "string",
    )


def code(value: str) -> bool:
    """Whether it is a call, a lookup or a variable in source code, whose name says what is in it."""
    if _CALL.fullmatch(value) and not value.startswith(("map[", "[")):
        return True
    bare = value.rstrip(".,;:")
    return bool(_NAME.fullmatch(bare)) and not re.search(r"\d", bare) and rank(bare) != ""


def prose(value: str, after: str = "") -> bool:
    """Whether it is a sentence, or the first word of one.  after: what follows on the same line."""
    several = value.split()
    if len(several) > 1:
        common = sum(word.strip(".,;:!?").lower() in _FUNCTION_WORDS for word in several)
        return common > 1 or (common == 1 and not re.search(r"[A-Za-z]\d|\d[A-Za-z]", value))
    if not _WORDS.fullmatch(value):
        return False
    if value.strip(".,;:!?").lower() in _FUNCTION_WORDS:
        return True
    return bool(re.match(r"[ \t]+[a-z(][a-z'-]*(?:[\s.,;!?)]|$)", after))


def looks_secret(value: str) -> bool:
    """Whether it looks like a secret with only a weak name beside it: long, or with digits among its letters."""
    if _RESOURCE.fullmatch(value) or _PATH.fullmatch(value) or _TYPICAL.fullmatch(value):
        return False
    if len(value) >= 20:
        return "://" not in value and not (value.isalpha() and value.islower())
    return len(value) >= 8 and bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))


def secret(name: str, value: str, *, loose: bool, after: str = "", how: Rank | None = None) -> bool:
    """Whether `value` beside `name` is a secret.

    loose: neither quoted nor joined to its name by a plain `=`: prose, YAML, source code.  after: the rest of the line.
    how: the rank of the name, where it is known.
    """
    how = rank(name) if how is None else how
    if not how or placeholder(value):
        return False
    if name.lower().endswith("pwd") and value.startswith(("/", "~")):
        return False  # the shell's working directory
    if name.lower().endswith("key") and (_PATH.fullmatch(value) or len(value) < 6):
        return False  # a file with a key; HTML's accesskey
    if how == "weak" and re.match(r"(?:id|type|src|env)=", value):
        return False  # docker build --secret id=...
    if how == "strong":
        return not (loose and prose(value, after))
    if loose:
        return looks_secret(value) and not (name.lower() == "pass" and "/" in value)
    return _weak_value(name, value)


def _weak_value(name: str, value: str) -> bool:
    """A quoted value, or one after a plain `=`, whose name is also an ordinary word."""
    if len(value) < 4 or _PATH.fullmatch(value) or value.lower() in _ORDINARY_WORDS:
        return False
    last = name.lower()
    if re.search(r"(?:sig|signature|auth|authorization|creds?|credentials?|cookie)$", last):
        return looks_secret(value) and len(value) >= 8
    if last.endswith("secret") and (
        _RESOURCE.fullmatch(value) or (last == "secret" and re.fullmatch(r"[a-z]+", value))
    ):
        return False  # the name of one
    if last.endswith("pass") and (_TYPICAL.fullmatch(value) or " " in value):
        return False
    return not (value.isdigit() and len(value) < 6) and not (" " in value and prose(value))
