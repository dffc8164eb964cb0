"""Does an image's program start at all?"""

from __future__ import annotations

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine, Finished
from kitlib.supply import builder, images


@takes(name=images.catalogue)
def starts(engine: Engine, name: str) -> Finished:
    """Run `-version` in the image, without network or capabilities; `error` holds the engine's message if it could not be executed."""
    builder.ensure(engine, [name])
    return engine.run(images.image(name).reference, ["-version"])
