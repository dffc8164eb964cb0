"""Images of a Dockerfile and files that are given as text, and containers: a chapter shows, changes and removes them."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError
from kitlib.host import console, environment, identity
from kitlib.supply import builder, images

LABEL = "local.kit.made"  # on images and containers, beside the owner's mark: the name that `remove` takes
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
    asked = set(re.findall(r"\w+", " ".join(re.findall(r"^ARG\b.*", dockerfile, re.MULTILINE))))
    named = {arg: base(engine, name) for arg, name in BASES.items() if arg in asked}
    with TemporaryDirectory() as folder, TemporaryDirectory() as apart:
        _write(Path(folder), {"Dockerfile": dockerfile, **(files or {})})
        engine.build(
            Path(folder),
            reference,
            args={**named, **(args or {})},
            labels={images.LABEL: tag, **labels(tag.partition(":")[0])},
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
    """The reference of one of the kit's images, which is made available first."""
    return builder.ensure(engine, [name])[name]


def labels(made: str) -> dict[str, str]:
    """Labels of an image or container made under this name by this checkout: another checkout's on the same engine are not touched."""
    record = identity.load()
    return {LABEL: made, images.CHECKOUT: identity.checkout(), **(record.labels if record else {})}


def flags(made: str, *, build: bool = False) -> str:
    """Options for `docker run` by which `remove` finds the container; build: for `docker build`, with the machine's network and proxies."""
    words = [f"--label={key}={value}" for key, value in labels(made).items()]
    if build:
        words += ["--network=host", *(f"--build-arg={name}" for name in environment.proxies())]
    return " ".join(words)


def layers(engine: Engine, reference: str) -> list[str]:
    """Digests of an image's layers, lowest first.  Raises EngineError when the engine does not have the image."""
    found = engine.inspect(reference)
    if found is None:
        raise EngineError(f"the engine has no image {reference}", hint="run the cell that builds it")
    return list(found["RootFS"]["Layers"])


def start(engine: Engine, made: str, reference: str, command: Sequence[str] = (), **settings: Any) -> Any:
    """A running container, as the docker package has it.  made: the name that `remove` takes; settings: of `containers.create`."""
    with mapped(f"starting {reference}"):
        container = engine.client.containers.create(
            reference, list(command) or None, labels=labels(made), detach=True, **settings
        )
        container.start()
        container.reload()
        return container


def containers(engine: Engine, made: str) -> list[Any]:
    """The containers made under this name, newest first, also those that have ended."""
    with mapped(f"looking for what {made} made"):
        return list(engine.client.containers.list(all=True, ignore_removed=True, filters=_filter(made)))


def called(engine: Engine, name: str) -> list[Any]:
    """The container of that name, if there is one, whatever made it."""
    with mapped(f"looking for {name}"):
        return list(engine.client.containers.list(all=True, ignore_removed=True, filters={"name": f"^/?{name}$"}))


def discard(container: Any) -> None:
    """Remove a container, also one that runs, with its anonymous volumes."""
    with mapped(f"removing {container.name}"):
        container.remove(force=True, v=True)


def publish(cluster: Cluster, reference: str) -> str:
    """Push an image, and return its name for a manifest: by digest, which no later build under the same tag can change."""
    name, _, tag = reference.removeprefix(f"{images.PREFIX}/").rpartition(":")
    cluster.engine.push(reference, f"{cluster.registry}/{name}:{tag}")
    return f"{images.PREFIX}/{name}@{local_registry.digest(cluster.registry, name, tag)}"


def take(engine: Engine, made: str, reference: str, path: str) -> bytes:
    """A file's content from an image, which is not started.  Raises EngineError when it is not in it."""
    with mapped(f"reading {path} of {reference}"):
        container = engine.client.containers.create(reference, ["none"], labels=labels(made))
        try:
            chunks, _ = container.get_archive(path)
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                content = archive.extractfile(archive.getmembers()[0])
                return content.read() if content else b""
        finally:
            container.remove(v=True)


def remove(engine: Engine, made: str, *, with_images: bool = True) -> None:
    """Remove what this checkout made under this name: containers, then networks and images, also those that have lost their tag.

    The build cache stays.
    """
    with console.quiet(), mapped(f"removing what {made} made"):
        for container in containers(engine, made):
            container.remove(force=True, v=True)
        for network in engine.client.networks.list(filters=_filter(made)):
            network.remove()
        if not with_images:
            return
        for image in engine.client.images.list(filters=_filter(made)):
            engine.client.images.remove(str(image.id), force=True)


def _filter(made: str) -> dict[str, list[str]]:
    return {"label": [f"{key}={value}" for key, value in labels(made).items()]}
