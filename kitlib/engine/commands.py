"""Commands inside a container, with all of their output.

The `docker` package (7.2) asks for a raw connection and then reads past the buffer in which the answer's head came: what the
command wrote at once can be in that buffer, and is lost; on a busy machine this happens.  Without the request to upgrade, the
engine sends the same frames as an ordinary answer, which is read to its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError

STDOUT, STDERR = 1, 2
HEADER = struct.Struct(
    ">BxxxL"
)  # of a frame: its stream, and how many bytes follow (Docker Engine API, "Attach to a container")


@dataclass(frozen=True)
class Ran:
    """The result of a command in a container: its exit code, its stdout (data), and both streams as they came (to be shown)."""

    code: int
    data: str
    text: str


def run(engine: Engine, container: str, argv: Sequence[str]) -> Ran:
    """Run a command in a container to its end."""
    with mapped(f"running {argv[0]} on {container}"):
        made, frames = _start(engine, container, argv)
        came = list(frames)
        code = int(engine.client.api.exec_inspect(made)["ExitCode"])
    data = b"".join(chunk for stream, chunk in came if stream == STDOUT)
    text = b"".join(chunk for _, chunk in came)
    return Ran(code, data.decode(errors="replace"), text.decode(errors="replace"))


def lines(engine: Engine, container: str, argv: Sequence[str]) -> Iterator[str]:
    """Run a command; its standard output line by line, as it comes.  The command itself has to know when to end."""
    with mapped(f"running {argv[0]} on {container}"):
        rest = b""
        for stream, chunk in _start(engine, container, argv)[1]:
            if stream == STDOUT:
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode() for line in whole)


def _start(engine: Engine, container: str, argv: Sequence[str]) -> tuple[str, Iterator[tuple[int, bytes]]]:
    api = engine.client.api  # a session of requests, which speaks to the engine
    made = api.exec_create(container, list(argv), privileged=True)["Id"]
    address = f"{api.base_url}/v{api.api_version}/exec/{made}/start"
    # no timeout: a command may be silent for long
    started = api.post(address, json={"Tty": False, "Detach": False}, stream=True, timeout=None)
    if not started.ok:
        raise EngineError(f"running {argv[0]} on {container}: {started.text.strip()}", hint="./kit doctor")
    return made, _frames(started.raw)


def _frames(raw: Any) -> Iterator[tuple[int, bytes]]:
    """Each frame of the answer: its stream, and what came on it."""
    while header := raw.read(HEADER.size):
        stream, size = HEADER.unpack(header)
        yield stream, raw.read(size)
