"""What does a static program look for at run time, and does its base image have it?"""

from __future__ import annotations

import json

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.errors import EngineError
from kitlib.measure.golang import gobinary
from kitlib.workloads import builds

FOLDER = gobinary.FOLDER  # a build context: a Go module with the program as package ./needs
PROGRAM = FOLDER / "needs" / "main.go"
FILES = {"go.mod": (FOLDER / "go.mod").read_text(), "needs/main.go": PROGRAM.read_text()}
KINDS = ("roots", "zone", "user", "temp")
BASES = {"alpine": "alpine", "debian": "debian", "distroless": "static"}  # what a chapter calls it: image of the kit
USER = 65534  # a user without rights, which has a name where there is an /etc/passwd


@takes(base=("scratch", *BASES))
def build(engine: Engine, dockerfile: str, tag: str, *, base: str = "scratch") -> str:
    """Build the program's image as kit.local/TAG, and return that name; its ARG BASE also names an image.  Raises BuildFailed.

    The context is a Go module with the program as package `./needs`.  base: `scratch` or one of BASES.
    """
    under = builds.base(engine, BASES[base]) if base in BASES else base
    return builds.build(engine, dockerfile, tag, files=FILES, args={"BASE": under})


@takes(dict.fromkeys((*KINDS, "runs"), "0/1"))
def found(engine: Engine, reference: str) -> dict[str, float]:
    """1 or 0 each: `runs`, and what the program found; `found`: how many of these.

    `roots`: certificate authorities; `zone`: the rules of a time zone; `user`: a name for its own user; `temp`: a place for
    temporary files.  Raises EngineError when the image holds another program.
    """
    ended = engine.run(reference)
    said = _said(reference, ended.output) if ended.exit_code == 0 else {}
    there = {kind: float(said.get(kind, False)) for kind in KINDS}
    return {"runs": float(ended.exit_code == 0), **there, "found": sum(there.values())}


def _said(reference: str, output: str) -> dict[str, bool]:
    try:
        said = json.loads(output)
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.keys() != set(KINDS):
        raise EngineError(
            f"{reference} does not print what it finds", observed=[output[:300]], hint="its program is ./needs"
        )
    return said
