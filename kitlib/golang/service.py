"""Requests from the notebook to a Go program that serves."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kitlib.errors import GoFailed
from kitlib.golang import toolchain
from kitlib.golang.workspace import Module
from kitlib.host import environment, proc

SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """A service's answer.  type: the media type without parameters.  body: parsed where it is JSON, else text."""

    status: int
    type: str
    body: Any


@contextmanager
def serving(module: Module, package: str) -> Iterator[str]:
    """Build and run a program that serves, for as long as the block lasts; yields the first line that it prints, its address.

    Raises GoFailed when it does not compile, or ends before it has printed a line.
    """
    program = toolchain.build(module, package)
    with proc.background([program], cwd=module.folder, env=environment.program()) as running:
        first = next(iter(running.stdout), "").strip()
        if not first:
            raise GoFailed(
                f"{package} ended without saying where it serves",
                hint="print the address as the first line",
                observed=running.errors()[-10:],
            )
        yield first


def ask(address: str, path: str, *, method: str = "GET") -> Answer:
    """One request, past any proxy.  Raises GoFailed when nothing answers that speaks HTTP."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        kind = response.getheader("Content-Type", "").partition(";")[0]
        return Answer(response.status, kind, _parsed(response.read()))
    except (OSError, http.client.HTTPException) as e:
        raise GoFailed(f"no answer from {address!r}: {e}", hint="does the program go on serving?") from None
    finally:
        connection.close()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
