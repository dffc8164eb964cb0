"""Commands inside a container, with all of their output.

The `docker` package (7.2) asks for a raw connection and then reads past the buffer in which the answer's head came: what the
command wrote at once can be in that buffer, and is lost; on a busy machine this happens.  Without the request to upgrade, the
engine sends the same frames as an ordinary answer, which is read to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kitlib.engine import Engine, mapped


def run(engine: Engine, container: str, argv: Sequence[str]) -> tuple[int, bytes]:
    """Run a command; returns its exit code and what it wrote, both streams together."""
    with mapped(f"running {argv[0]} on {container}"):
        made, frames = _start(engine, container, argv, stderr=True)
        output = b"".join(frames)
        return int(engine.client.api.exec_inspect(made)["ExitCode"]), output


def lines(engine: Engine, container: str, argv: Sequence[str]) -> Iterator[str]:
    """Run a command; its standard output line by line, as it comes.  The command itself has to know when to end."""
    with mapped(f"running {argv[0]} on {container}"):
        rest = b""
        for frame in _start(engine, container, argv, stderr=False)[1]:
            *whole, rest = (rest + frame).split(b"\n")
            yield from (line.decode() for line in whole)


def _start(engine: Engine, container: str, argv: Sequence[str], *, stderr: bool) -> tuple[str, Iterator[bytes]]:
    api: Any = engine.client.api  # the package has no public way to do this
    made = api.exec_create(container, list(argv), stderr=stderr, privileged=True)["Id"]
    started = api._post_json(api._url("/exec/{0}/start", made), data={"Tty": False, "Detach": False}, stream=True)
    return made, api._multiplexed_response_stream_helper(started)
