"""What gets from the build context into an image and into the build cache, with a .dockerignore and without?"""

from __future__ import annotations

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.host import console
from kitlib.measure.images.traces import traces
from kitlib.workloads import builds

SECRET = "not-for-everyone-7f3a"  # noqa: S105
IGNORE = ".dockerignore\n.env*\n.git\nbin/\n"
FILES = {
    "main.go": "package main\n\nfunc main() {}\n",
    ".env": f"API_KEY={SECRET}\n",
    ".git/objects/pack/one": "x" * 2_000_000,
    "bin/old": "y" * 3_000_000,
}
CARELESS = "ARG ALPINE\nFROM ${ALPINE} AS build\nCOPY . /src\n"
STAGED = f"{CARELESS}RUN cp /src/main.go /out\nFROM ${{ALPINE}}\nCOPY --from=build /out /out\n"


@takes({"copied": "B", "final": "count", "cached": "count"}, dockerignore=("with", "without"))
def leaks(engine: Engine, made: str, dockerignore: str) -> dict[str, float]:
    """`copied`: bytes that `COPY .` takes over; and how many parts hold the planted secret: of an image with that line (`image`), of an
    image that copies one file out of such a stage (`final`), and of that stage, as the build cache keeps it (`cached`).
    """
    files = {**FILES, ".dockerignore": IGNORE} if dockerignore == "with" else FILES
    with console.quiet():
        image = builds.build(engine, CARELESS, f"{made}:careless", files=files)
        final = builds.build(engine, STAGED, f"{made}:staged", files=files)
        cached = builds.build(engine, STAGED, f"{made}:stage", files=files, target="build")
    copied = engine.size(image) - engine.size(builds.base(engine, builds.BASES["ALPINE"]))
    found = {"image": image, "final": final, "cached": cached}
    return {"copied": float(copied)} | {name: float(len(traces(engine, r, SECRET))) for name, r in found.items()}
