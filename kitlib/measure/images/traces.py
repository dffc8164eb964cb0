"""Where in an image is a secret?  The search covers every layer, also where a later one hides it, and the configuration."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator

from kitlib.engine.client import Engine
from kitlib.host import proc, tools

GZIP = b"\x1f\x8b"


def traces(engine: Engine, reference: str, secret: str) -> list[str]:
    """Parts of the image that contain the text: "layer" or "configuration", one entry per part."""
    return [part for part, content in _parts(engine, reference) if secret.encode() in content]


def _parts(engine: Engine, reference: str) -> Iterator[tuple[str, bytes]]:
    """The parts of `docker save`: layers, compressed or not, and JSON: the configuration with the history, and the lists of parts."""
    with (
        proc.stream([tools.docker(), "save", reference], env=engine.environment()) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            handle = archive.extractfile(member) if member.isfile() else None
            content = handle.read() if handle else b""
            plain = gzip.decompress(content) if content.startswith(GZIP) else content
            yield "configuration" if _is_json(plain) else "layer", plain


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True
