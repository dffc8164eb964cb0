"""A watch without an end, resumed from a new list whenever the server ends it; another thread can end it at once."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

from kitlib.errors import ApiError
from kitlib.kube.client import REQUEST_SECONDS, Object, mapped
from kitlib.kube.connection import Connection, Events

ROUND_SECONDS = 60  # then the server ends the stream; one that does not is dead


class Follow:
    """The objects at a path of the API, and from then on each change.

    The stream is open before the constructor returns: nothing that happens later is missed.  items: what the newest list had.
    Raises ApiError.
    """

    def __init__(self, connection: Connection, path: str, labels: str = "") -> None:
        self._connection = connection
        self._path = path
        self._query = {"labelSelector": labels}
        self._lock = Lock()
        self._events: Events | None = None
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
            if self._events is not None:
                self._events.hang_up()

    def _open(self) -> list[Object]:
        """List, and stream from that version on; returns the list's items."""
        with mapped(f"watching {self._path}"):
            page = self._connection.json("GET", self._path, query=self._query, seconds=REQUEST_SECONDS)
            query = {**self._query, "resourceVersion": page["metadata"]["resourceVersion"]}
            events = self._connection.watch(self._path, query=query, seconds=ROUND_SECONDS)
        with self._lock:
            self._events = events
            if self._stopped:
                events.hang_up()
        return list(page["items"])

    def _stream(self) -> Iterator[tuple[str, Object]]:
        """Until the server ends it, or says that it does not know the version any more."""
        try:
            with mapped(f"watching {self._path}"):
                yield from self._events or ()
        except ApiError:
            if not self._stopped:  # what `stop` does looks like a broken connection
                raise
        finally:
            with self._lock:
                self._events = None
