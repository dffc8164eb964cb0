import base64
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kitlib.errors import ClusterError
from kitlib.kube import forward
from kitlib.kube.client import Object
from kitlib.masking import redact
from kitlib.private_registry.pki import Authority

HOST = "shop.example"


class Pair(forward._Stream):
    """One end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def sendall(self, data: bytes) -> None:
        self.end.sendall(data)

    def recv(self) -> bytes:
        return self.end.recv(1 << 16)


def file(secret: Object, name: str) -> bytes:
    return base64.b64decode(secret["data"][name])


def serve(end: socket.socket, secret: Object, folder: Path) -> None:
    """A real TLS server with the secret's certificate: sends a greeting to a client that completes the handshake."""
    for name in ("tls.crt", "tls.key"):
        (folder / name).write_bytes(file(secret, name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    try:
        with context.wrap_socket(end, server_side=True) as secured:
            secured.sendall(b"hello")
    except ssl.SSLError:
        end.close()


def visit(secret: Object, folder: Path, host: str, trust: str) -> bytes:
    """What a client of `host` reads that trusts these authorities."""
    ours, theirs = socket.socketpair()
    with ThreadPoolExecutor() as pool, ours:
        pool.submit(serve, theirs, secret, folder)
        with forward._failing("test"):
            return forward._Secured(Pair(ours), host, trust).recv()


def test_a_certificate_of_the_authority_is_believed(tmp_path: Path) -> None:
    """A client that trusts the authority reaches a server that has the secret."""
    authority = Authority()

    assert visit(authority.secret("s", HOST), tmp_path, HOST, authority.certificate) == b"hello"


@pytest.mark.parametrize(("host", "own"), [(HOST, False), ("other.example", True)], ids=["authority", "host"])
def test_nobody_else_is_believed(host: str, own: bool, tmp_path: Path) -> None:
    """Another authority's word, and a certificate for another host, are refused."""
    authority = Authority()
    trusted = authority if own else Authority()

    with pytest.raises(ClusterError, match="test: "):
        visit(authority.secret("s", HOST), tmp_path, host, trusted.certificate)


def test_the_key_is_masked() -> None:
    """Neither the key nor its base64 can be printed; the certificate can."""
    secret = Authority().secret("s", HOST)
    key = file(secret, "tls.key").decode()
    shown = redact.mask(f"{key} {secret['data']['tls.key']} {secret['data']['tls.crt']}")

    assert key.splitlines()[1] not in shown
    assert secret["data"]["tls.key"] not in shown
    assert secret["data"]["tls.crt"] in shown


def test_an_authority_does_not_show_its_key() -> None:
    """Its text is its name alone."""
    assert repr(Authority()) == "Authority()"
