"""Where in an image is a secret?  Looked for in every layer, also where a later one hides it, and in the configuration."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator

from kitlib import proc, tools
from kitlib.engine import Engine

GZIP = b"\x1f\x8b"


def traces(engine: Engine, reference: str, secret: str) -> list[str]:
    """Parts of the image that contain the text: "layer" or "configuration", one entry a part."""
    return [part for part, content in _parts(engine, reference) if secret.encode() in content]


def _parts(engine: Engine, reference: str) -> Iterator[tuple[str, bytes]]:
    """What `docker save` writes: layers, compressed or not, and JSON: the configuration with the history, and what names the parts."""
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
