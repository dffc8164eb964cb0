"""What does goapp's program need to run, built with and without cgo, and on which bases does it run?"""

from __future__ import annotations

import io
from typing import Any

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.host import console
from kitlib.workloads import builds

VARIANTS = {"on": "goapp-guide-2.3", "off": "goapp-guide-2.2"}  # cgo: the image that was built so
PROGRAM = "/usr/local/bin/catalog"
ON = {"scratch": "scratch", "alpine": "${ALPINE}", "distroless": "${STATIC}", "debian": "${DEBIAN}"}
ARGS = "ARG BUILT\nARG ALPINE\nARG STATIC\nARG DEBIAN\n"
COPY = f'COPY --from=built {PROGRAM} /catalog\nENTRYPOINT ["/catalog"]\n'


@takes(dict.fromkeys(("interpreter", *ON), "0/1"), cgo=VARIANTS)
def linkage(engine: Engine, made: str, cgo: str) -> dict[str, float]:
    """`interpreter`: whether it names a loader; `libraries`: shared ones it needs; and for each base of ON whether it starts there."""
    asked = asks(builds.take(engine, made, built(engine, cgo), PROGRAM))
    needs = {"interpreter": float(bool(asked["loader"])), "libraries": float(len(asked["libraries"]))}
    return needs | {name: float(starts(engine, made, cgo, name)) for name in ON}


def asks(program: bytes) -> dict[str, list[str]]:
    """What a program needs of the system before it can run (elf(5)): its `loader`, if it names one, and shared `libraries`."""
    segments = list(ELFFile(io.BytesIO(program)).iter_segments())
    loader = [s.get_interp_name() for s in segments if isinstance(s, InterpSegment)]
    tags: list[Any] = [tag for s in segments if isinstance(s, DynamicSegment) for tag in s.iter_tags("DT_NEEDED")]
    return {"loader": loader, "libraries": [tag.needed for tag in tags]}


@takes(cgo=VARIANTS)
def built(engine: Engine, cgo: str) -> str:
    """The image with goapp built with cgo on or off."""
    return builds.base(engine, VARIANTS[cgo])


@takes(cgo=VARIANTS, on=ON)
def starts(engine: Engine, made: str, cgo: str, on: str) -> bool:
    """Whether the program, copied onto this base, prints its version."""
    text = f"{ARGS}FROM ${{BUILT}} AS built\nFROM {ON[on]}\n{COPY}"
    with console.quiet():
        reference = builds.build(engine, text, f"{made}:{cgo}-{on}", args={"BUILT": built(engine, cgo)})
    return engine.run(reference, ["-version"]).exit_code == 0
