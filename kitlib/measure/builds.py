"""Images of a Dockerfile and files that are given as text, and containers: what a chapter shows, changes, and takes away again."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib import console, images, registry
from kitlib.cluster import Cluster
from kitlib.engine import Engine, mapped
from kitlib.errors import EngineError

LABEL = "local.kit.made"  # on images and containers: the name that `remove` takes
BASES = {  # ARG of a Dockerfile: image of the kit
    "ALPINE": "alpine",
    "DEBIAN": "debian",
    "GOLANG": "golang",
    "STATIC": "static",
}


def build(
    engine: Engine,
    dockerfile: str,
    tag: str,
    *,
    files: Mapping[str, str] | None = None,
    args: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    target: str = "",
    platform: str = "",
    fresh: str = "",
) -> str:
    """Build kit.local/TAG, and return that name; its ARGs ALPINE, DEBIAN, GOLANG and STATIC name the kit's bases.  Raises BuildFailed.

    files: path -> text, the whole context.  args: more build arguments.  secrets: id -> text, which is in no folder of the context.
    target: the stage to end with.  platform: like linux/arm64.  fresh: a stage for which the cache is not asked.
    RUN is on the machine's network, as apt needs it in recipes.
    """
    reference = f"{images.PREFIX}/{tag}"
    wanted = set(re.findall(r"^\s*ARG\s+(\w+)", dockerfile, re.MULTILINE | re.IGNORECASE))
    named = {arg: base(engine, name) for arg, name in BASES.items() if arg in wanted}
    with TemporaryDirectory() as folder, TemporaryDirectory() as apart:
        _write(Path(folder), {"Dockerfile": dockerfile, **(files or {})})
        engine.build(
            Path(folder),
            reference,
            args={**named, **(args or {})},
            labels={images.LABEL: tag, LABEL: tag.partition(":")[0]},
            target=target,
            host_network=True,
            fresh=fresh,
            platform=platform,
            secrets=_write(Path(apart), secrets or {}),
        )
    return reference


def _write(folder: Path, files: Mapping[str, str]) -> dict[str, Path]:
    """Files below a folder: name -> where it is."""
    written = {name: folder / name for name in files}
    for name, file in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(files[name])
    return written


def base(engine: Engine, name: str) -> str:
    """The reference of one of the kit's images, which is made to be here."""
    return images.ensure(engine, [name])[name]


def layers(engine: Engine, reference: str) -> list[str]:
    """Digests of an image's layers, lowest first.  Raises EngineError when the image is not here."""
    found = engine.inspect(reference)
    if found is None:
        raise EngineError(f"image {reference} is not here", hint="run the cell that builds it")
    return list(found["RootFS"]["Layers"])


def start(engine: Engine, made: str, reference: str, command: Sequence[str] = (), **settings: Any) -> Any:
    """A running container, as the docker package has it.  made: the name that `remove` takes; settings: of `containers.create`."""
    with mapped(f"starting {reference}"):
        container = engine.client.containers.create(
            reference, list(command) or None, labels={LABEL: made}, detach=True, **settings
        )
        container.start()
        container.reload()
        return container


def publish(cluster: Cluster, reference: str) -> str:
    """Push an image, and return its name for a manifest: by digest, which no later build under the same tag can change."""
    name, _, tag = reference.removeprefix(f"{images.PREFIX}/").rpartition(":")
    cluster.engine.push(reference, f"{cluster.registry}/{name}:{tag}")
    return f"{images.PREFIX}/{name}@{registry.digest(cluster.registry, name, tag)}"


def take(engine: Engine, made: str, reference: str, path: str) -> bytes:
    """A file's content, out of an image, of which nothing is started.  Raises EngineError when it is not in it."""
    with mapped(f"reading {path} of {reference}"):
        container = engine.client.containers.create(reference, ["none"], labels={LABEL: made})
        try:
            chunks, _ = container.get_archive(path)
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                content = archive.extractfile(archive.getmembers()[0])
                return content.read() if content else b""
        finally:
            container.remove(v=True)


def remove(engine: Engine, made: str) -> None:
    """Remove all containers and images made under this name, also images that have lost their tag.  The build cache stays."""
    mine = {"label": f"{LABEL}={made}"}
    with console.quiet(), mapped(f"removing what {made} made"):
        for container in engine.client.containers.list(all=True, filters=mine):
            container.remove(force=True, v=True)
        for image in engine.client.images.list(filters=mine):
            engine.client.images.remove(str(image.id), force=True)
