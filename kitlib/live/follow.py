"""A watch that another thread can end at once, though it blocks in a read."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock

import urllib3

from kitlib.connection import Connection, Refused
from kitlib.errors import ApiError
from kitlib.kube import GONE, REQUEST_SECONDS, Object, mapped

ROUND_SECONDS = 60  # then the server ends the stream; one that does not is dead


class Follow:
    """What is at a path of the API when this is made, and from then on each change.

    The stream is open before the constructor returns: nothing that happens later is missed.  items: what the newest list had.
    Raises ApiError.
    """

    def __init__(self, connection: Connection, path: str, labels: str = "") -> None:
        self._connection = connection
        self._path = path
        self._query = {"labelSelector": labels}
        self._lock = Lock()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._stopped = False
        self.items = self._open()

    def changes(self) -> Iterator[tuple[str, Object]]:
        """(ADDED | MODIFIED | DELETED, object) until `stop`; when the server ends a stream, from a new list on.  Raises ApiError."""
        known: dict[str, Object] = {}
        while not self._stopped:
            here = {item["metadata"]["uid"]: item for item in self.items}
            yield from (("DELETED", item) for uid, item in known.items() if uid not in here)
            yield from (("ADDED", item) for item in self.items)
            known = here
            for change, item in self._stream():
                known[item["metadata"]["uid"]] = item
                if change == "DELETED":
                    del known[item["metadata"]["uid"]]
                yield change, item
            if not self._stopped:
                self.items = self._open()

    def stop(self) -> None:
        """End `changes`, from whatever thread; returns at once."""
        with self._lock:
            self._stopped = True
            _hang_up(self._response)

    def _open(self) -> list[Object]:
        """List, and stream from that version on; returns the list's items."""
        with mapped(f"watching {self._path}"):
            page = self._connection.json("GET", self._path, query=self._query, seconds=REQUEST_SECONDS)
            ask = {
                "watch": "true",
                "resourceVersion": page["metadata"]["resourceVersion"],
                "timeoutSeconds": ROUND_SECONDS,
            }
            seconds = ROUND_SECONDS + REQUEST_SECONDS
            response = self._connection.send("GET", self._path, query=self._query | ask, seconds=seconds, stream=True)
        with self._lock:
            self._response = response
            if self._stopped:
                _hang_up(response)
        return list(page["items"])

    def _stream(self) -> Iterator[tuple[str, Object]]:
        """Until the server ends it, or says that it does not know the version any more."""
        try:
            with mapped(f"watching {self._path}"):
                for line in self._response or ():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        if event["object"].get("code") == GONE:
                            return
                        raise Refused(int(event["object"].get("code") or 0), json.dumps(event["object"]).encode())
                    yield event["type"], event["object"]
        except ApiError:
            if not self._stopped:  # what `stop` does looks like a broken connection
                raise
        finally:
            self._close()

    def _close(self) -> None:
        with self._lock:
            if self._response is not None:
                self._response.close()
            self._response = None


def _hang_up(response: urllib3.BaseHTTPResponse | None) -> None:
    """A blocked read of the connection returns; to close it here would be to wait for that read.

    By the plain socket: an SSLSocket's own shutdown, which urllib3's takes, first forgets TLS, so that a read gets ciphertext.
    """
    sock = getattr(response and response.connection, "sock", None)
    if sock is not None:
        with suppress(OSError):  # it has just ended by itself
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
