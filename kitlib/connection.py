"""HTTPS to one API server as a kubeconfig describes it: JSON in, JSON or a stream of lines out.

The `kubernetes` package does this too, but importing it takes longer than everything a chapter asks of the API server.  It
is asked only where a kubeconfig signs in by something else than a client certificate or a token (plugins of clouds, OIDC).
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml

from kitlib.errors import ClusterError

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML
CONNECT_SECONDS = 10
GRACE_SECONDS = 5  # the server ends a watch; this is for a server that does not
CHUNK = 1 << 16


class Refused(Exception):
    """The server's answer was an error: its status, and the body as it came."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Access:
    """Where the API server is, and by what both sides know each other."""

    server: str
    tls: ssl.SSLContext
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """Requests to one API server, on connections that stay open; threads can share it."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._pool = urllib3.PoolManager(ssl_context=access.tls, maxsize=8, retries=False)

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
        """One request; the answer's JSON.  Raises Refused, or urllib3's HTTPError."""
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

        Raises Refused for an error, unless not check: then it is an answer like others.  Raises urllib3's HTTPError.
        """
        answer = self._pool.urlopen(
            method,
            self.access.server + path + _query(query or {}),
            body=data,
            headers={**self.access.headers, **(headers or {})},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
            preload_content=not stream,
            redirect=False,
        )
        if check and answer.status >= 400:
            raise Refused(answer.status, answer.data)
        return answer

    def events(self, path: str, *, query: Mapping[str, Any], seconds: int) -> Iterator[Any]:
        """A watch, event by event as they come, until the server ends it, which it is asked to do after so many seconds."""
        query = {**query, "watch": "true", "timeoutSeconds": seconds}
        answer = self.send("GET", path, query=query, seconds=seconds + GRACE_SECONDS, stream=True)
        try:
            for line in lines(answer.stream(CHUNK)):
                yield json.loads(line)
        finally:
            answer.close()  # the rest of a stream that nobody reads


def access(kubeconfig: Path) -> Access:
    """What the current context of a kubeconfig says, without the package where that is simple enough."""
    found = yaml.load(kubeconfig.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    context = _named(found["contexts"], found["current-context"])["context"]
    cluster = _named(found["clusters"], context["cluster"])["cluster"]
    user = _named(found["users"], context["user"])["user"]
    if not _simple(cluster, user):
        return _by_the_package(kubeconfig)
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    if "client-certificate-data" in user:
        _present(tls, user["client-certificate-data"], user["client-key-data"])
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    return Access(cluster["server"].rstrip("/"), tls, headers)


def _simple(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> bool:
    """As kind, kubeadm and most test clusters write it: everything in the file, one way to sign in."""
    one = user.keys() in ({"client-certificate-data", "client-key-data"}, {"token"})
    return one and cluster.keys() == {"server", "certificate-authority-data"}


def _present(tls: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL takes a client certificate from a file only; this one is private, and gone when it has been read."""
    with NamedTemporaryFile() as file:
        file.write(base64.b64decode(certificate) + b"\n" + base64.b64decode(key))
        file.flush()
        tls.load_cert_chain(file.name)


def _by_the_package(kubeconfig: Path) -> Access:
    from kubernetes import config

    try:
        said = config.new_client_from_config(config_file=str(kubeconfig)).configuration
    except config.ConfigException as e:
        raise ClusterError(
            f"{kubeconfig} gives no way in: {e}", hint=f"kubectl --kubeconfig {kubeconfig} get nodes"
        ) from e
    tls = ssl.create_default_context(cafile=said.ssl_ca_cert)
    if said.cert_file:
        tls.load_cert_chain(said.cert_file, said.key_file)
    token = said.get_api_key_with_prefix("authorization")
    return Access(said.host.rstrip("/"), tls, {"Authorization": token} if token else {})


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(e for e in entries if e["name"] == name)


def _query(words: Mapping[str, Any]) -> str:
    given = {k: v for k, v in words.items() if v not in (None, "")}
    return f"?{urlencode(given)}" if given else ""


def lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut at line ends, each line as soon as its end is here."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
