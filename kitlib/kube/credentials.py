"""A client's credentials: tokens, passwords, token files, client certificates; errors never show any of them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

import yaml

from kitlib.errors import ClusterError, KitError


class SignIn(Protocol):
    """How each request authenticates."""

    def header(self) -> str:
        """The Authorization header; empty for none."""

    def renew(self) -> bool:
        """Called when the server answered 401: whether there is a new credential, with which to ask again."""


@dataclass(frozen=True)
class Fixed:
    """A token or a password in the kubeconfig, or nothing."""

    value: str = ""

    def header(self) -> str:
        """The Authorization header, the same for every request."""
        return self.value

    def renew(self) -> bool:
        """Always False: a fixed credential cannot be renewed."""
        return False


@dataclass(frozen=True)
class TokenFile:
    """A file with a token, read at each request: tokens of service accounts are replaced there before they expire."""

    file: Path

    def header(self) -> str:
        """The Authorization header with the token that the file has now.  Raises ClusterError for a file that cannot be used."""
        with failing(f"token file {self.file}"):
            return bearer(self.file.read_text())

    def renew(self) -> bool:
        """Always False: each request reads the file anyway."""
        return False


@contextmanager
def failing(what: str) -> Iterator[None]:
    """Turn the errors of files and their text into a ClusterError of one line."""
    try:
        yield
    except KitError:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError, ssl.SSLError) as e:
        said = " ".join(str(e).split()) or type(e).__name__
        raise ClusterError(f"{what} cannot be used: {said}", hint=_hint(what)) from e


def bearer(token: str) -> str:
    """The header for a token.  Raises ValueError for a token that no header can hold."""
    token = str(token).strip()
    if not token or not (token.isascii() and token.isprintable()):
        raise ValueError("its token is empty, or has characters that no header can hold")
    return f"Bearer {token}"


def _hint(what: str) -> str:
    return f"./kit up writes that of the kit's own cluster; for another one: kubectl --kubeconfig {what} get nodes"


def load(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """OpenSSL takes a client certificate from a file only; this one is private, and gone when it has been read."""
    with NamedTemporaryFile() as file:
        file.write(certificate + b"\n" + key)
        file.flush()
        tls.load_cert_chain(file.name, password=lambda: "")  # or OpenSSL asks the terminal for an encrypted key's
