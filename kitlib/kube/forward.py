"""HTTP to a port of a pod through the API server's port-forwarding, with any Host header, plain or over TLS.

The API server's proxy (podproxy.py) replaces the caller's Host by its own; a router by host name needs the original one.
"""

from __future__ import annotations

import http.client
import io
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import websocket

from kitlib.errors import ApiError, ClusterError
from kitlib.kube.client import Kube
from kitlib.kube.connection import Answer

SECONDS = 10
PROTOCOL = "v4.channel.k8s.io"  # each frame begins with its channel: data, or what went wrong
DATA, ERROR = 0, 1
T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A port of a pod."""

    kube: Kube
    namespace: str
    pod: str
    port: int


def request(to: Target, host: str, path: str, *, method: str = "GET", trust: str | None = None) -> Answer:
    """One request as a client of `host` would send it; any status is an answer.

    trust: certificates (PEM) of the trusted authorities; with them the request goes over TLS, and the name is checked.
    Raises ClusterError when the other side's certificate is not trusted, or nothing comes within SECONDS.
    """
    with opened(to) as plain, _failing(f"{method} {'https' if trust else 'http'}://{host}{path}"):
        connection = http.client.HTTPConnection(host)
        connection.sock = _Secured(plain, host, trust) if trust else plain
        connection.request(method, path, headers={"Connection": "close"})
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        text = response.read().decode(errors="replace")
        return Answer(response.status, headers, json.loads(text) if "json" in headers.get("content-type", "") else text)


def certificate(to: Target, host: str, trust: str) -> dict[str, Any]:
    """The fields of the certificate that a client of `host` gets, as `ssl.SSLSocket.getpeercert` returns them."""
    with opened(to) as plain, _failing(f"TLS with {host}"):
        return dict(_Secured(plain, host, trust).tls.getpeercert() or {})


class _Stream:
    """The methods of a socket that http.client uses."""

    def sendall(self, data: bytes) -> None:
        raise NotImplementedError

    def recv(self) -> bytes:
        """The next bytes, none at the end."""
        raise NotImplementedError

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self.recv))

    def close(self) -> None:
        """Do nothing: the function that opened the websocket closes it."""


class Plain(_Stream):
    """Bytes to and from the port, in the websocket's frames."""

    def __init__(self, ws: websocket.WebSocket) -> None:
        self.ws = ws
        self._greetings = {DATA, ERROR}  # the first frame of each channel repeats the port

    def sendall(self, data: bytes) -> None:
        """Send these bytes to the port, in one frame."""
        self.ws.send_binary(bytes([DATA]) + data)

    def recv(self) -> bytes:
        """The next bytes from the port, none at its end.  Raises OSError with the API server's reason when forwarding failed."""
        while frame := self.ws.recv():
            assert isinstance(frame, bytes)  # this protocol has no text frames
            channel, payload = frame[0], frame[1:]
            if channel in self._greetings:
                self._greetings.remove(channel)
            elif channel == ERROR:
                raise OSError(payload.decode(errors="replace"))
            else:
                return payload
        return b""


class _Secured(_Stream):
    """TLS over another stream; made once the handshake is done."""

    def __init__(self, under: _Stream, host: str, trust: str) -> None:
        self.under = under
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cadata=trust)
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        self._pump(self.tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        self._pump(lambda: self.tls.write(data))

    def recv(self) -> bytes:
        try:
            return self._pump(lambda: self.tls.read(1 << 16))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def _pump(self, step: Callable[[], T]) -> T:
        """Do a step of TLS, with as many bytes sent and received below as it takes."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                received = self.under.recv()
                self.incoming.write(received) if received else self.incoming.write_eof()
            finally:
                self._flush()

    def _flush(self) -> None:
        if self.outgoing.pending:
            self.under.sendall(self.outgoing.read())


class _Reader(io.RawIOBase):
    def __init__(self, recv: Callable[[], bytes]) -> None:
        self._recv, self._rest = recv, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._rest or self._recv()
        count = min(len(buffer), len(data))
        buffer[:count], self._rest = data[:count], data[count:]
        return count


@contextmanager
def opened(to: Target) -> Iterator[Plain]:
    """Bytes to and from the port while the block runs.  Raises ApiError when the API server does not lead there."""
    access = to.kube.connection.access
    path = f"/api/v1/namespaces/{to.namespace}/pods/{to.pod}/portforward?ports={to.port}"
    try:
        ws = websocket.create_connection(
            access.server.replace("http", "ws", 1) + path,
            subprotocols=[PROTOCOL],
            header=[f"{name}: {value}" for name, value in access.all_headers().items()],
            sslopt={"context": access.tls} | ({"server_hostname": access.tls_name} if access.tls_name else {}),
            **_proxy(access.proxy),
            timeout=SECONDS,
        )
    except websocket.WebSocketBadStatusException as e:
        raise ApiError(
            f"forwarding a port of pod {to.pod}: {e.status_code}", status=e.status_code, hint="./kit status"
        ) from e
    except (OSError, websocket.WebSocketException) as e:
        raise ApiError(f"forwarding a port of pod {to.pod}: {e}", status=0, hint="./kit status") from e
    try:
        yield Plain(ws)
    finally:
        ws.close()


def _proxy(address: str) -> dict[str, Any]:
    """The proxy of the kubeconfig, and no other: not that of the environment."""
    if not address:
        return {"http_no_proxy": ["*"]}
    named = urlsplit(address)
    auth = (named.username, named.password or "") if named.username else None
    return {
        "http_proxy_host": named.hostname,
        "http_proxy_port": named.port or 80,
        "http_proxy_auth": auth,
        "proxy_type": "http",
        "http_no_proxy": ["invalid"],  # an empty list would be that of the environment
    }


@contextmanager
def _failing(doing: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as e:
        hint = "trust the authority that signed it, or ask for a name that it was made for"
        raise ClusterError(f"{doing}: {e.verify_message}", hint=hint) from e
    except (OSError, http.client.HTTPException, websocket.WebSocketException) as e:
        raise ClusterError(f"{doing}: no answer ({e or type(e).__name__})", hint="does the pod listen there?") from e
