"""Does the same source give the same bytes twice?"""

from __future__ import annotations

from collections.abc import Mapping

from kitlib import console
from kitlib.engine import Engine
from kitlib.measure import builds

SHOWN = 12  # hex digits of a digest


def twice(engine: Engine, made: str, dockerfile: str, files: Mapping[str, str], **args: str) -> dict[str, object]:
    """One Dockerfile built twice: the digests of the uppermost layer and of the image, and whether each is the same.

    Without the cache, as on two machines: with it the second build would take over the first one's layer, as soon as the contents of
    its files are the same, and their times with it.
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
        reference = builds.build(engine, dockerfile, f"{made}:again", files=files, args=args, cache=False)
    return builds.layers(engine, reference)[-1], str((engine.inspect(reference) or {})["Id"])


def _short(digest: str) -> str:
    return digest.partition(":")[2][:SHOWN]
