"""The requests of a client to the engine's daemon, call by call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from kitlib.engine.client import Engine

ID = re.compile(r"[0-9a-f]{64}")


@contextmanager
def recorded(engine: Engine) -> Iterator[list[dict[str, Any]]]:
    """A list that each HTTP request of the block adds a row to: method, path, status, and ms until the daemon's answer began."""
    calls: list[dict[str, Any]] = []

    def note(response: Any, *_: Any, **__: Any) -> None:
        path = ID.sub(lambda found: found[0][:12], urlsplit(response.request.url).path)
        ms = round(response.elapsed.total_seconds() * 1000, 1)
        calls.append({"method": response.request.method, "path": path, "status": response.status_code, "ms": ms})

    hooks = engine.client.api.hooks["response"]
    hooks.append(note)
    try:
        yield calls
    finally:
        hooks.remove(note)
