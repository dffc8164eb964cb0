"""Does the same source give the same bytes twice?"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from kitlib.engine.client import Engine
from kitlib.host import console
from kitlib.workloads import builds

SHOWN = 12  # hex digits of a digest


def twice(engine: Engine, made: str, dockerfile: str, files: Mapping[str, str], **args: str) -> dict[str, object]:
    """One Dockerfile built twice: the digests of the uppermost layer and of the image, and whether each is the same.

    As on two machines: the Dockerfile has an ARG NONCE in the stage that compiles, so that it is not taken from the cache (a build
    without the cache would also lose the compiler's mount), and its last stage is called `last`.  The cache would give that one the
    first build's layer, as soon as the contents of its files are the same, and with it their times.
    """
    (layer, image), (layer_again, image_again) = (_digests(engine, made, dockerfile, files, args) for _ in range(2))
    return {
        "layer": _short(layer),
        "layer again": _short(layer_again),
        "same layer": layer == layer_again,
        "same image": image == image_again,
    }


def _digests(
    engine: Engine, made: str, dockerfile: str, files: Mapping[str, str], args: Mapping[str, str]
) -> tuple[str, str]:
    with console.quiet():
        reference = builds.build(
            engine, dockerfile, f"{made}:again", files=files, args={**args, "NONCE": uuid.uuid4().hex}, fresh="last"
        )
    return builds.layers(engine, reference)[-1], str((engine.inspect(reference) or {})["Id"])


def _short(digest: str) -> str:
    return digest.partition(":")[2][:SHOWN]
