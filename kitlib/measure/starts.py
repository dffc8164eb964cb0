"""Does an image's program start at all?"""

from __future__ import annotations

from kitlib import images
from kitlib.engine import Engine, Finished


def starts(engine: Engine, name: str) -> Finished:
    """Run `-version` in the image, without network or capabilities; `error` holds the engine's words if it could not be executed."""
    images.ensure(engine, [name])
    return engine.run(images.image(name).reference, ["-version"])
