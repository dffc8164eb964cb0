"""What could an intruder use in an image?  Counted in the image's own file system, without running it."""

from __future__ import annotations

import stat
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.host import proc, tools
from kitlib.measure.images import sbom

SHELLS = {"ash", "bash", "busybox", "dash", "ksh", "sh", "tcsh", "zsh"}
DPKG = "var/lib/dpkg/status"
APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")


@takes(dict.fromkeys(("executables", "setuid", "shells", "packages", "components"), "count"))
def surface(engine: Engine, reference: str) -> dict[str, float]:
    """Counts: `executables` (files with an execute bit that are a program or a script), `setuid` (setuid or setgid programs),
    `shells` (names under which one can be started), `packages` (of dpkg or apk), `components` (of the image's SBOM, by syft).
    """
    found: Counter[str] = Counter(executables=0, setuid=0, shells=0, packages=0)
    with _filesystem(engine, reference) as archive:
        for member in archive:
            found.update(_classify(archive, member))
    return {**found, "components": len(sbom.artifacts(engine, reference))}


def _classify(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[str]:
    path = PurePosixPath(member.name)
    if path.name in SHELLS and path.parent.name in ("bin", "sbin"):
        yield "shells"
    if not member.isfile():
        return
    if member.mode & 0o111 and _runs(archive, member):
        yield "executables"
        if member.mode & (stat.S_ISUID | stat.S_ISGID):
            yield "setuid"
    if str(path) == DPKG or str(path) in APK:
        marker = b"Package: " if str(path) == DPKG else b"P:"
        yield from ["packages"] * sum(line.startswith(marker) for line in _read(archive, member))


def _runs(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
    """An ELF program or a script; shared libraries, which may also have the execute bit, are recognised by name."""
    handle = archive.extractfile(member)
    head = handle.read(2) if handle else b""
    return head in (b"\x7fE", b"#!") and ".so" not in PurePosixPath(member.name).suffixes


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    handle = archive.extractfile(member)
    assert handle is not None  # a regular file has contents
    return handle


@contextmanager
def _filesystem(engine: Engine, reference: str) -> Iterator[tarfile.TarFile]:
    """The merged file system of an image as a stream, from a container that is never started."""
    with mapped(f"reading the files of {reference}"):
        container = engine.client.containers.create(reference, ["none"], network_mode="none")
    try:
        with (
            proc.stream([tools.docker(), "export", container.id], env=engine.environment()) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            yield archive
    finally:
        container.remove(v=True)
