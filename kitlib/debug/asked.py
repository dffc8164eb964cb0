"""A request whose answer is read later: the program that is to answer it stands at a breakpoint meanwhile."""

from __future__ import annotations

import http.client

from kitlib.errors import DebugError

SECONDS = 20.0


class Asked:
    """A GET to 127.0.0.1:port that has been sent.  No thread waits for its answer: `answer` does."""

    def __init__(self, port: int, path: str, *, seconds: float = SECONDS) -> None:
        self._what = f"GET {path}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        try:
            self._connection.request("GET", path)
        except OSError as e:
            raise DebugError(f"{self._what}: nothing listens on 127.0.0.1:{port} ({e})") from e

    def answer(self) -> tuple[int, str]:
        """Status and body.  Raises DebugError when nothing comes in time."""
        try:
            response = self._connection.getresponse()
            return response.status, response.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as e:
            hint = "does the program stand at a breakpoint? resume() lets it go on"
            raise DebugError(f"{self._what}: no answer ({e})", hint=hint) from e
        finally:
            self._connection.close()

    def drop(self) -> None:
        """Nobody wants the answer any more."""
        self._connection.close()
