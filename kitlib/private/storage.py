"""What the private registry has on disk, and how it gets rid of it."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from io import RawIOBase

from kitlib.engine import mapped
from kitlib.errors import RegistryRefused
from kitlib.private.client import logged_in
from kitlib.private.files import CONFIG, DATA
from kitlib.private.server import Private


def size(private: Private) -> int:
    """Bytes of all files in the registry's storage."""
    with mapped("reading the registry's storage"):
        chunks, _ = private.container.get_archive(DATA)
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive:
            return sum(entry.size for entry in archive)


def tags(private: Private, repository: str) -> list[str]:
    """Of a repository that is not there: none."""
    if repository not in repositories(private):
        return []
    with logged_in(private) as client:
        return client.crane("ls", f"{private.address}/{repository}").split()


def repositories(private: Private, prefix: str = "") -> list[str]:
    """Their names, those that begin so."""
    with logged_in(private) as client:
        return [name for name in client.crane("catalog", private.address).split() if name.startswith(prefix)]


def unused(private: Private) -> list[str]:
    """Digests of blobs on disk to which no manifest refers."""
    said = private.run("registry", "garbage-collect", "--dry-run", CONFIG)
    return re.findall(r"blob eligible for deletion: (\S+)", said)


def delete(private: Private, name: str) -> str:
    """Delete the manifest behind a tag, and with it all tags of it; returns its digest.  The layers stay where they are."""
    with logged_in(private) as client:
        digest = client.crane("digest", f"{private.address}/{name}").strip()
        client.crane("delete", f"{private.address}/{name.rpartition(':')[0]}@{digest}")
    return digest


def clear(private: Private, prefix: str) -> None:
    """Delete whatever has a tag in the repositories whose names begin so."""
    for repository in repositories(private, prefix):
        for tag in tags(private, repository):
            with suppress(RegistryRefused):  # gone already, with another tag of the same image
                delete(private, f"{repository}:{tag}")


def collect(private: Private) -> list[str]:
    """Remove what no manifest refers to; the lines that distribution prints.  Nobody may push meanwhile: his layers could be taken, too."""
    return private.run("registry", "garbage-collect", CONFIG).splitlines()


class _Stream(RawIOBase):
    """The chunks of an answer as a file, for tarfile."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        found, self._rest = self._rest[:size], self._rest[size:]
        return found
