"""The private registry's files on disk, and how they are removed."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from io import RawIOBase

from kitlib.engine.errors import mapped
from kitlib.errors import EngineError, RegistryRefused
from kitlib.private_registry.client import logged_in
from kitlib.private_registry.files import CONFIG, DATA, INSIDE, tar
from kitlib.private_registry.server import Private

REPOSITORIES = f"{DATA}/docker/registry/v2/repositories"
LAYER = re.compile(r"_layers/\w+/[0-9a-f]{64}")  # below a repository: the folder for the link to a blob


def size(private: Private) -> int:
    """Bytes of all files in the registry's storage."""
    with mapped("reading the registry's storage"):
        chunks, _ = private.container.get_archive(DATA)
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive:
            return sum(entry.size for entry in archive)


def tags(private: Private, repository: str) -> list[str]:
    """The tags of a repository; none when it does not exist."""
    if repository not in repositories(private):
        return []
    with logged_in(private) as client:
        return client.crane("ls", f"{private.address}/{repository}").split()


def repositories(private: Private, prefix: str = "") -> list[str]:
    """The names of the repositories that begin with `prefix`."""
    with logged_in(private) as client:
        return [name for name in client.crane("catalog", private.address).split() if name.startswith(prefix)]


def unused(private: Private) -> list[str]:
    """Digests of blobs on disk to which no manifest refers."""
    said = private.run("registry", "garbage-collect", "--dry-run", CONFIG)
    return re.findall(r"blob eligible for deletion: (\S+)", said)


def delete(private: Private, name: str) -> str:
    """Delete the manifest behind a tag, and with it all its tags; returns its digest.  The layers stay."""
    with logged_in(private) as client:
        digest = client.crane("digest", f"{private.address}/{name}").strip()
        client.crane("delete", f"{private.address}/{name.rpartition(':')[0]}@{digest}")
    return digest


def clear(private: Private, prefix: str) -> None:
    """Delete every tagged manifest in the repositories whose names begin with `prefix`."""
    for repository in repositories(private, prefix):
        for tag in tags(private, repository):
            with suppress(RegistryRefused):  # gone already, with another tag of the same image
                delete(private, f"{repository}:{tag}")


def whole(private: Private, name: str) -> None:
    """Pull an image and compare each part with its digest.  Raises RegistryRefused when one is missing or another."""
    with logged_in(private) as client:
        client.crane("validate", "--remote", f"{private.address}/{name}")


def collected(private: Private, repository: str) -> dict[str, float]:
    """Blobs that were in a repository until a collection removed them: folder below the repository -> when that changed (s).

    `registry garbage-collect` deletes a blob's link, and leaves the folder in which it was.  The times are the registry's own.  Of a
    repository that is not there: none.
    """
    with suppress(EngineError), mapped("reading the registry's storage"):
        chunks, _ = private.container.get_archive(f"{REPOSITORIES}/{repository}")
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive:
            return without_link(archive)
    return {}


def without_link(archive: tarfile.TarFile) -> dict[str, float]:
    """Folders of a repository that are for a blob's link and have none, with their times."""
    found = {entry.name.partition("/")[2]: entry for entry in archive}
    linked = {name.removesuffix("/link") for name in found if name.endswith("/link")}
    return {
        name: entry.mtime
        for name, entry in found.items()
        if entry.isdir() and LAYER.fullmatch(name) and name not in linked
    }


def collect(private: Private) -> list[str]:
    """Remove blobs to which no manifest refers; returns the lines that distribution prints.  No client may push meanwhile: its layers could
    also be removed.
    """
    return private.run("registry", "garbage-collect", CONFIG).splitlines()


def keep(private: Private, name: str, content: bytes) -> None:
    """Write a file into the registry's container, beside its configuration."""
    with mapped(f"writing {name} into the registry's container"):
        private.container.put_archive("/", tar({name: content}))


def kept(private: Private, name: str) -> bytes:
    """The content of such a file; b"" when there is none."""
    with suppress(EngineError), mapped(f"reading {name} in the registry's container"):
        chunks, _ = private.container.get_archive(f"{INSIDE}/{name}")
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                return content.read() if content else b""
    return b""


class _Stream(RawIOBase):
    """The chunks of an answer as a file, for tarfile."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        found, self._rest = self._rest[:size], self._rest[size:]
        return found
