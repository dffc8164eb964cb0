"""The traffic between a client and a registry: bytes, counted in between, and requests, from the client's log."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.private_registry import Private, client

REQUEST = re.compile(r"--> (?P<method>[A-Z]+) https://[^/ ]+(?P<path>/\S*)")
PUSHES = ("first", "unchanged", "new tag", "last layer", "other repository")
UNITS = {"sent": "B", "received": "B", "asked": "count", "uploaded": "count", "mounted": "count", "seconds": "s"}


@dataclass
class Wire:
    """A way to a server that counts.  sent: bytes to the server; received: bytes from it; both with TLS, without TCP's own headers."""

    server: tuple[str, int]
    sent: int = 0
    received: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    address: str = ""

    def count(self, *, sent: int = 0, received: int = 0) -> None:
        """Add bytes to the totals; threads can call it at the same time."""
        with self.lock:
            self.sent += sent
            self.received += received


class _Passage(socketserver.ThreadingTCPServer):
    daemon_threads = False
    block_on_close = True  # so that all bytes are counted when the block is left

    def __init__(self, wire: Wire) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.wire = wire


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Pass both directions on until both sides have ended."""
        wire, here = cast(_Passage, self.server).wire, cast(socket.socket, self.request)
        with socket.create_connection(wire.server) as there:
            back = threading.Thread(target=_pass, args=(there, here, lambda n: wire.count(received=n)))
            back.start()
            _pass(here, there, lambda n: wire.count(sent=n))
            back.join()


def _pass(source: socket.socket, target: socket.socket, count: object) -> None:
    with suppress(OSError):  # either side may hang up at any time
        while chunk := source.recv(1 << 16):
            count(len(chunk))  # type: ignore[operator]
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def counted(address: str) -> Iterator[Wire]:
    """Another address of this server while the block runs; what passes there is counted.  address: HOST:PORT."""
    host, port = address.split(":")
    wire = Wire((host, int(port)))
    with _Passage(wire) as passage:
        wire.address = f"127.0.0.1:{passage.server_address[1]}"
        thread = threading.Thread(target=passage.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield wire
        finally:
            passage.shutdown()
            thread.join()


@dataclass(frozen=True)
class Traffic:
    """The traffic of one crane command: bytes each way, seconds, and its requests as (method, path)."""

    sent: int
    received: int
    seconds: float
    requests: tuple[tuple[str, str], ...]

    def values(self) -> dict[str, float]:
        """As metrics: `asked` is HEAD requests (is this blob there?), `uploaded` and `mounted` are blobs."""
        methods = [method for method, _ in self.requests]
        mounted = sum("mount=" in path for _, path in self.requests)
        return {
            "sent": float(self.sent),
            "received": float(self.received),
            "asked": float(methods.count("HEAD")),
            "uploaded": float(methods.count("PATCH")),
            "mounted": float(mounted),
            "seconds": self.seconds,
        }

    def table(self) -> pd.DataFrame:
        """One row per request, in order, with digests cut short."""
        rows = [
            (method, re.sub(r"(sha256(?::|%3A)[0-9a-f]{8})[0-9a-f]{56}", r"\1…", path))
            for method, path in self.requests
        ]
        return pd.DataFrame([(method, path[:90]) for method, path in rows], columns=["method", "path"])


def push(private: Private, reference: str, name: str) -> Traffic:
    """Push one of the engine's images as NAME (repository:tag), and count."""
    with client.archive(private.cluster.engine, reference) as file:
        return _watched(private, "push", str(file), name)


def copy(private: Private, source: str, name: str) -> Traffic:
    """Give an image of the registry a second name, in another repository, and count."""
    return _watched(private, "copy", source, name)


@takes(UNITS, change=PUSHES)
def trial(private: Private, change: str, image: str, other: str) -> dict[str, float]:
    """One push to a repository of its own, as metrics.  change: one of PUSHES; other: an image that differs in its last layer."""
    name = f"trial/{uuid.uuid4().hex[:8]}"
    before = push(private, image, f"{name}:1")
    match change:
        case "first":
            return before.values()
        case "unchanged":
            return push(private, image, f"{name}:1").values()
        case "new tag":
            return push(private, image, f"{name}:2").values()
        case "last layer":
            return push(private, other, f"{name}:2").values()
    return copy(private, f"{name}:1", f"{name}-copy:1").values()


def _watched(private: Private, command: str, source: str, name: str) -> Traffic:
    with counted(private.address) as wire, client.logged_in(private, wire.address) as crane:
        here = source if command == "push" else f"{wire.address}/{source}"
        began = time.monotonic()
        said = crane.log(command, here, f"{wire.address}/{name}")
        seconds = time.monotonic() - began
    return Traffic(wire.sent, wire.received, seconds, tuple(requests(said)))


def requests(said: str) -> list[tuple[str, str]]:
    """The requests in what `crane --verbose` prints, in order: method, and path with query."""
    return [(found["method"], found["path"]) for found in REQUEST.finditer(said)]
