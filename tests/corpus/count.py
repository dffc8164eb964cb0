"""How many secrets are masked, and how many words that are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kitlib.masking import redact
from tests.corpus import ordinary, rules

KINDS = {
    "prefix": "told by its form or its issuer's prefix, with no name beside it",
    "named": "told by the name beside it alone",
    "identifier": "identifiers, such as a client's id: no secrets",
}
_END = 24  # characters of a secret, of which no eight may be left


def forms() -> dict[str, tuple[int, int]]:
    """For each kind of secret: how many texts were masked, of how many."""
    masked, made = Counter[str](), Counter[str]()
    for rule in rules.rules():
        for _, text, secret in rule.texts():
            made[rule.kind] += 1
            masked[rule.kind] += not leaks(redact.mask(text), secret)
    return {kind: (masked[kind], made[kind]) for kind in KINDS}


def leaks(text: str, secret: str) -> bool:
    """Whether a text still has a part of the secret's end; what issuers begin all of theirs with is not secret."""
    end = secret[-_END:]
    return any(end[at : at + 8] in text for at in range(max(1, len(end) - 7)))


def changed(*, prose: bool) -> Iterator[str]:
    """The lines of the kit's own text that masking changes, with their file."""
    for text in ordinary.texts():
        if text.prose == prose:
            lines = zip(text.text.splitlines(), redact.mask(text.text).splitlines(), strict=True)
            yield from (f"{text.file}: {before.strip()}" for before, after in lines if before != after)


def words(*, prose: bool) -> int:
    """How many words the kit's own text has."""
    return sum(len(text.text.split()) for text in ordinary.texts() if text.prose == prose)


def table() -> str:
    """The Markdown of docs/secrets.md: what is masked of what gitleaks knows."""
    rows = [f"| {KINDS[kind]} | {masked:,} | {made:,} |" for kind, (masked, made) in forms().items()]
    return "\n".join([f"| secrets from {len(rules.rules())} rules | masked | texts |", "|---|---|---|", *rows])
