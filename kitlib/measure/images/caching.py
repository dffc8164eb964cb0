"""What does building an image again cost, after which change?"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.host import console
from kitlib.workloads import builds

CHANGES = ("cold", "nothing", "last layer", "first layer")


@takes({"reused": "count"}, change=CHANGES)
def rebuild(engine: Engine, made: str, dockerfile: str, change: str, files: Mapping[str, str]) -> dict[str, float]:
    """`seconds` of a build after this change, and `reused`, how many of its own layers it took from the build before.

    The Dockerfile has an ARG FIRST, on which its first instruction depends, and its last one copies index.html.  `cold`: both are new,
    as on a machine that never built this; no build cache is emptied for it.  made: the name that `builds.remove` takes.
    """
    first = uuid.uuid4().hex if change in ("cold", "first layer") else ""
    page = uuid.uuid4().hex if change in ("cold", "last layer") else ""
    # from here on the cache has it, whatever was built or dropped before
    before = _build(engine, made, dockerfile, files)
    began = time.monotonic()
    after = _build(engine, made, dockerfile, {**files, "index.html": files["index.html"] + page}, first)
    seconds = time.monotonic() - began
    below = len(builds.layers(engine, builds.base(engine, builds.BASES["DEBIAN"])))
    return {"seconds": seconds, "reused": float(len(set(before[below:]) & set(after[below:])))}


def _build(engine: Engine, made: str, dockerfile: str, files: Mapping[str, str], first: str = "") -> list[str]:
    with console.quiet():
        reference = builds.build(
            engine, dockerfile, f"{made}:cache", files=files, args={"FIRST": first} if first else None
        )
    return builds.layers(engine, reference)
