"""How large is an image, on disk and on the wire?"""

from __future__ import annotations

from kitlib import images, registry
from kitlib.cluster import Cluster


def size(cluster: Cluster, name: str, *, rebuild: bool = False) -> dict[str, float]:
    """`size`: bytes of all layers; `compressed`: bytes of all layers as a registry stores and a pull transfers them.

    rebuild: build the image again without any cache first, so that repeats are independent.
    """
    images.ensure(cluster.engine, [name])
    reference = images.image(name).reference
    if not rebuild:
        cluster.image(name)
        return _sizes(cluster, reference, name, reference.rpartition(":")[2])
    tag = f"{images.PREFIX}/{name}:rebuilt"
    images.build(cluster.engine, name, tag, cache=False)
    cluster.engine.push(tag, f"{cluster.registry}/{name}:rebuilt")
    try:
        return _sizes(cluster, tag, name, "rebuilt")
    finally:
        cluster.engine.remove(tag)


def _sizes(cluster: Cluster, reference: str, name: str, tag: str) -> dict[str, float]:
    return {
        "size": cluster.engine.size(reference),
        "compressed": registry.compressed_size(cluster.registry, name, tag),
    }
