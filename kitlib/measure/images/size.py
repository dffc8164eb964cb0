"""How large is an image, on disk and on the wire?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster
from kitlib.host.stats import quantity
from kitlib.supply import builder, images


@takes({"compressed": "B"}, name=images.catalogue)
def size(cluster: Cluster, name: str, *, rebuild: bool = False) -> dict[str, float]:
    """`size`: bytes of all layers; `compressed`: bytes of all layers as a registry stores and a pull transfers them.

    rebuild: build the image again without any cache first, so that repeats are independent.
    """
    builder.ensure(cluster.engine, [name])
    reference = images.image(name).reference
    if not rebuild:
        cluster.image(name)
        return _sizes(cluster, reference, name, reference.rpartition(":")[2])
    tag = f"{images.PREFIX}/{name}:rebuilt"
    builder.build(cluster.engine, name, tag, cache=False)
    cluster.engine.push(tag, f"{cluster.registry}/{name}:rebuilt")
    try:
        return _sizes(cluster, tag, name, "rebuilt")
    finally:
        cluster.engine.remove(tag)


def _sizes(cluster: Cluster, reference: str, name: str, tag: str) -> dict[str, float]:
    return {
        "size": cluster.engine.size(reference),
        "compressed": local_registry.compressed_size(cluster.registry, name, tag),
    }


def steps(runs: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """One row per step from one image to the next, in that order: the size after it, and by how much it changed the size.

    runs: of an experiment over `image` that measured `size` in bytes.
    """
    sizes = runs[runs["metric"] == "size"].groupby("image")["value"].median()
    changes = [""] + [_change(sizes[after] - sizes[before]) for before, after in pairwise(order)]
    left = [quantity(sizes[image], "B") for image in order]
    return pd.DataFrame({"size": left, "change": changes}, index=pd.Index(order, name="image"))


def _change(by: float) -> str:
    return f"{'−' if by < 0 else '+'}{quantity(abs(by), 'B')}"
