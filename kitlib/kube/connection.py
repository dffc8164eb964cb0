"""HTTPS to one API server as a kubeconfig describes it (kubeconfig.py): JSON in, JSON or a stream of lines out."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import urllib3

from kitlib.kube.kubeconfig import Access, access

__all__ = ["Access", "Answer", "Connection", "Events", "StatusError", "access", "lines"]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML
CONNECT_SECONDS = 10
GRACE_SECONDS = 5  # the server ends a watch; this is for a server that does not
CHUNK = 1 << 16
UNAUTHORIZED, GONE = 401, 410


@dataclass(frozen=True)
class Answer:
    """A server's answer, whatever its status.  headers: names in lower case.  body: decoded when it is JSON, else text."""

    status: int
    headers: dict[str, str]
    body: Any


class StatusError(Exception):
    """The server's answer was an error: its status, and the body as it came."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Connection:
    """Requests to one API server, on connections that stay open; threads can share it."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._pool = _pool(access)

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: str = JSON,
        accept: str = JSON,
        seconds: float,
    ) -> Any:
        """One request; the answer's JSON.  Raises StatusError, or urllib3's HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept} | ({"Content-Type": content} if data else {})
        return json.loads(self.send(method, path, query=query, data=data, headers=headers, seconds=seconds).data)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float,
        stream: bool = False,
        check: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        """One request; the answer with headers and body, or with the body still to come (stream).  seconds: for each read.

        Raises StatusError for an error, unless not check: then it is an answer like others.  Raises urllib3's HTTPError.
        """

        def ask() -> urllib3.BaseHTTPResponse:
            said = self.access.all_headers()
            said.update(headers or {})
            return self._pool.urlopen(
                method,
                self.access.server + path + _query(query or {}),
                body=data,
                headers=said,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
                preload_content=not stream,
                redirect=False,
            )

        answer = ask()
        if answer.status == UNAUTHORIZED and self.access.sign_in.renew():
            answer.drain_conn()
            answer = ask()
        if check and answer.status >= 400:
            raise StatusError(answer.status, answer.data)
        return answer

    def watch(self, path: str, *, query: Mapping[str, Any], seconds: int) -> Events:
        """Open a watch, which the server is asked to end after so many seconds.  Raises StatusError, or urllib3's HTTPError."""
        query = {**query, "watch": "true", "timeoutSeconds": seconds}
        return Events(self.send("GET", path, query=query, seconds=seconds + GRACE_SECONDS, stream=True))


class Events:
    """An open watch: (ADDED | MODIFIED | DELETED, object) as they come.

    It ends when the server ends it, or no longer knows the version that it began with (410 Gone).  Raises StatusError, or urllib3's
    HTTPError.
    """

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        try:
            for line in lines(self._answer.stream(CHUNK)):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    if event["object"].get("code") == GONE:
                        return
                    raise StatusError(int(event["object"].get("code") or 0), json.dumps(event["object"]).encode())
                yield event["type"], event["object"]
        finally:
            self._answer.close()  # the unread rest of a stream

    def hang_up(self) -> None:
        """End a read that blocks in another thread; to close the answer here would be to wait for that read.

        By the plain socket: an SSLSocket's own shutdown, which urllib3's takes, first forgets TLS, so that a read gets ciphertext.
        """
        sock = getattr(self._answer.connection, "sock", None)
        if sock is not None:
            with suppress(OSError):  # it has just ended by itself
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _pool(access: Access) -> urllib3.PoolManager:
    how: dict[str, Any] = {"ssl_context": access.tls, "maxsize": 8, "retries": False}
    if access.tls_name:
        how["server_hostname"] = access.tls_name
    if not access.proxy:
        return urllib3.PoolManager(**how)
    named = urlsplit(access.proxy)
    pair = f"{unquote(named.username)}:{unquote(named.password or '')}" if named.username else None
    return urllib3.ProxyManager(access.proxy, proxy_headers=urllib3.make_headers(proxy_basic_auth=pair), **how)


def _query(words: Mapping[str, Any]) -> str:
    given = {k: v for k, v in words.items() if v not in (None, "")}
    return f"?{urlencode(given)}" if given else ""


def lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Split a stream into lines; yields each line as soon as its end has arrived."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
