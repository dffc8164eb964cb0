"""A request whose answer is read later: the program that is to answer it stands at a breakpoint meanwhile."""

from __future__ import annotations

import http.client
from types import TracebackType

import websocket

from kitlib.errors import DebugError

SECONDS = 20.0


class Asked:
    """A GET that has been sent on a connection.  No thread waits for its answer: `answer` does.  Leaving its block drops it."""

    def __init__(self, connection: http.client.HTTPConnection, path: str) -> None:
        self._what = f"GET {path}"
        self._connection = connection
        try:
            connection.request("GET", path)
        except OSError as e:
            raise DebugError(f"{self._what}: nothing listens on {connection.host}:{connection.port} ({e})") from e

    def answer(self) -> tuple[int, str]:
        """Status and body.  Raises DebugError when nothing comes in time."""
        try:
            response = self._connection.getresponse()
            return response.status, response.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException, websocket.WebSocketException) as e:
            hint = "does the program stand at a breakpoint? resume() lets it go on"
            raise DebugError(f"{self._what}: no answer ({e})", hint=hint) from e
        finally:
            self._connection.close()

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._connection.close()


def ask(port: int, path: str, *, seconds: float = SECONDS) -> Asked:
    """Send a GET to 127.0.0.1:port.  Raises DebugError when nothing listens there."""
    return Asked(http.client.HTTPConnection("127.0.0.1", port, timeout=seconds), path)
