"""Images of a Dockerfile and files that are given as text, and containers: what a chapter shows, changes, and takes away again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib import console, images
from kitlib.engine import Engine, mapped
from kitlib.errors import EngineError

LABEL = "local.kit.made"  # on images and containers: the name that `remove` takes
BASES = {"ALPINE": "alpine", "DEBIAN": "debian"}  # ARG of a Dockerfile: image of the kit


def build(
    engine: Engine,
    dockerfile: str,
    tag: str,
    *,
    files: Mapping[str, str] | None = None,
    args: Mapping[str, str] | None = None,
) -> str:
    """Build kit.local/TAG, and return that name; its ARGs ALPINE and DEBIAN name the kit's bases.  Raises BuildFailed.

    files: path -> text, the whole context.  args: more build arguments.  RUN is on the machine's network, as apt needs it in recipes.
    """
    reference = f"{images.PREFIX}/{tag}"
    with TemporaryDirectory() as folder:
        for name, text in {"Dockerfile": dockerfile, **(files or {})}.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        engine.build(
            Path(folder),
            reference,
            args={**{arg: base(engine, name) for arg, name in BASES.items()}, **(args or {})},
            labels={images.LABEL: tag, LABEL: tag.partition(":")[0]},
            host_network=True,
        )
    return reference


def base(engine: Engine, name: str) -> str:
    """The reference of one of the kit's images, which is made to be here."""
    return images.ensure(engine, [name])[name]


def layers(engine: Engine, reference: str) -> list[str]:
    """Digests of an image's layers, lowest first.  Raises EngineError when the image is not here."""
    found = engine.inspect(reference)
    if found is None:
        raise EngineError(f"image {reference} is not here", hint="run the cell that builds it")
    return list(found["RootFS"]["Layers"])


def start(
    engine: Engine,
    made: str,
    reference: str,
    command: Sequence[str] = (),
    *,
    labels: Mapping[str, str] | None = None,
    **settings: Any,
) -> Any:
    """A running container, as the docker package has it.  made: the name that `remove` takes; settings: of `containers.create`."""
    marks = {**(labels or {}), LABEL: made}
    with mapped(f"starting {reference}"):
        container = engine.client.containers.create(
            reference, list(command) or None, labels=marks, detach=True, **settings
        )
        container.start()
        container.reload()
        return container


def remove(engine: Engine, made: str) -> None:
    """Remove all containers and images made under this name, also images that have lost their tag.  The build cache stays."""
    mine = {"label": f"{LABEL}={made}"}
    with console.quiet(), mapped(f"removing what {made} made"):
        for container in engine.client.containers.list(all=True, filters=mine):
            container.remove(force=True, v=True)
        for image in engine.client.images.list(filters=mine):
            engine.client.images.remove(str(image.id), force=True)
