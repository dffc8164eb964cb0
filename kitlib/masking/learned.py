"""Values that are known to be secret, because the kit read or made them: where they are masked in a text, and where not.

A value that no text would have by chance is masked wherever it occurs, also encoded.  A value that is an ordinary word (`default`,
`running`, `figure`), a number or an address would take half of every text with it, tags of HTML included: it is masked only beside its own
key, where it stands as a value (`mode: running`, `MODE=running`), and in base64.  So is a value that is too short.  In the output of a
cell that reads Secrets, such a value is also masked where it is all that a line says.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from kitlib.masking.patterns import MASK

MIN_LENGTH = 6  # characters; shorter values occur everywhere
_WORD = r"(?:[a-z]+|[A-Z][a-z]+|[A-Z]+)"
_SHAPES = re.compile(  # what ordinary words look like; that they can be spoken is asked of each
    rf"(?P<words>{_WORD}(?:[-_ ./]{_WORD})?|{_WORD}(?:\.{_WORD})+(?::\d{{1,5}})?)"
    r"|\d{1,12}|\d+(?:[.:/-]\d+){1,5}|v?\d+(?:\.\d+)+|\d+(?:\.\d+)?[A-Za-z%]{1,3}"
    r"|https?://[\w.-]+(?::\d{1,5})?(?:/[a-z]*)?"
)
_LONGEST_WORD = 14  # letters; what is longer is no word but a made-up one
# Keys that every manifest, every page and every notebook has: beside them, ordinary words are not masked at all.
_STRUCTURE = re.compile(
    r"(?:api-?version|class|colou?r|command|data|host|id|image|kind|label|level|message|mime[-_]?type|mode|name|namespace|output[-_]?type"
    r"|path|phase|port|protocol|reason|role|service|size|state|status|style|target|title|type|unit|url|user|username|value|version)",
    re.IGNORECASE,
)
_QUOTE = r"(?:\\*[\"']|&quot;|&\#34;|&\#x27;|&\#39;)"
_WHOLE = re.compile(
    r"^(?P<head>[ \t]*\[?(?:b?[\"'])?)(?P<value>[^\r\n]*?)(?P<tail>(?:\\n)?[\"']?\]?[ \t]*)(?=\r*$)", re.MULTILINE
)
_MARKUP = r"(?P<markup></?[A-Za-z][\w:-]*|(?<=\s)[\w:-]+(?=\s*=\s*[\"']))"  # names of tags and attributes


def ordinary(value: str, *, words: int = 2) -> bool:
    """Whether other text may say the same by chance: so many words that can be spoken, or fewer, a number, an address."""
    match = _SHAPES.fullmatch(value)
    if match is None:
        return False
    said = re.findall(r"[A-Za-z]+", value) if match["words"] else []
    return len(said) <= max(words, value.count(".") + 1) and all(map(_speakable, said))


def _speakable(word: str) -> bool:
    word = word.lower()
    if len(word) <= 3:
        return True
    vowels = len(re.findall(r"[aeiouy]", word))
    return (
        len(word) <= _LONGEST_WORD
        and len(set(word)) > 2
        and vowels > 0
        and not re.search(r"[^aeiouy]{5}|[aeiouy]{5}", word)
    )


class Learned:
    """Values known to be secret, with the encodings in which they travel.  reading: whether the cell that runs reads Secrets."""

    def __init__(self) -> None:
        self.reading = False
        self._anywhere: list[str] = []  # longest first
        self._beside: dict[tuple[str, str], re.Pattern[str]] = {}
        self._lines: set[str] = set()  # what is masked where it is a whole line, encoded or not

    def add(self, value: bytes, key: str = "") -> str:
        """Learn a value, and say why it is masked only beside its key: `too short`, `an ordinary word`; empty if it is masked anywhere."""
        text = value.decode(errors="replace").strip()
        if not text or text in MASK:
            return ""
        why = "too short" if len(text) < MIN_LENGTH else ""
        if not why and ordinary(
            text, words=2 if key else 1
        ):  # with no key, it is a secret for certain: two words are enough
            why = "an ordinary word"
        encoded = base64_forms(text) if why else encodings(text)
        forms = {form for form in encoded if len(form) >= (8 if why else MIN_LENGTH) and form not in MASK}
        if not why or len(text) >= MIN_LENGTH:
            self._anywhere = sorted({*self._anywhere, *forms}, key=len, reverse=True)
        if why:
            self._lines |= {text, *base64_forms(text)}
        if why and key and not _STRUCTURE.fullmatch(key):
            self._beside[key, text] = _beside(key, text)
        return why

    def mask(self, text: str, *, markup: bool = False) -> str:
        """markup: HTML or SVG, whose tags and names of attributes stay as they are."""
        present = [form for form in self._anywhere if form in text]  # far faster than one pattern of them all
        if present:
            pattern = "|".join([*([_MARKUP] if markup else []), *map(re.escape, present)])
            text = re.sub(pattern, lambda m: m[0] if m.groupdict().get("markup") else MASK, text)
        for (_, value), pattern_beside in list(self._beside.items()):  # another thread can learn meanwhile
            if value in text:
                text = pattern_beside.sub(rf"\g<head>{MASK}", text)
        return text

    def mask_lines(self, text: str) -> str:
        """While a cell reads Secrets: the text without the lines that are one of the values that `mask` leaves, also in Python's quotes."""
        if not (self.reading and self._lines):
            return text
        return _WHOLE.sub(lambda m: f"{m['head']}{MASK}{m['tail']}" if m["value"] in self._lines else m[0], text)


def _beside(key: str, value: str) -> re.Pattern[str]:
    name = re.sub(r"[-_.]", "[-_.]?", re.sub(r"[^\w.-]", "", key))
    head = rf"(?<![\w.-])(?:(?i:{name})){_QUOTE}?\]?[ \t]*(?::=|=>|[:=])[ \t]*{_QUOTE}?"
    return re.compile(rf"(?P<head>{head}){re.escape(value)}(?![\w-])")


def encodings(text: str) -> set[str]:
    """The value itself; quoted for JSON, Python, HTML and URLs; the lines of a key; its bytes as base64, hex and decimal numbers."""
    raw = text.encode(errors="surrogateescape")
    forms = {
        text,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        html.escape(text),
    }
    forms |= {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    forms |= {raw.hex(), raw.hex().upper(), raw.hex(" "), ", ".join(f"0x{byte:x}" for byte in raw)}
    forms |= {separator.join(map(str, raw)) for separator in (" ", ", ", ",")}  # Go's and Python's bytes
    if "PRIVATE KEY" in text:
        forms |= {line.strip() for line in text.splitlines() if len(line) >= 16 and not line.startswith("-----")}
    return forms | base64_forms(text)


def base64_forms(text: str) -> set[str]:
    """Its base64 with and without a line's end, and what stays of it inside something longer (`user:password`)."""
    raw = text.encode(errors="surrogateescape")
    return {form for value in (raw, raw + b"\n") for form in _base64(value)}


def _base64(raw: bytes) -> Iterator[str]:
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(raw).decode()
    for shift in range(3):
        core = base64.b64encode(b"\0" * shift + raw).decode()[(0, 2, 3)[shift] :]
        spoiled = (0, 3, 2)[(shift + len(raw)) % 3]  # characters that depend on what follows, padding included
        core = core[: len(core) - spoiled]
        if len(core) >= 8:
            yield core
            yield core.replace("+", "-").replace("/", "_")
