"""What does a change of one source line cost to build, with go.mod copied first, and with everything copied at once?

The program is as small as one gets; its go.mod and go.sum are goapp's, so that `go mod download` has goapp's modules to fetch.  A
program that takes longer to compile saves the same seconds, of more.
"""

from __future__ import annotations

import time
import uuid

from kitlib import paths
from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.host import console
from kitlib.workloads import builds

MODULES = "--mount=type=cache,id=kit-modules,target=/go/pkg/mod "
COMPILED = "--mount=type=cache,id=kit-compiled,target=/root/.cache/go-build "
COMPILERS = {"starts anew": "", "finds its cache": COMPILED}  # the compiler: what its RUN has mounted
FIRST = "ARG GOLANG\nFROM ${GOLANG} AS build\nWORKDIR /src\n"
DOWNLOAD = "COPY go.mod go.sum ./\nRUN go mod download\n"
LAST = "FROM scratch\nCOPY --from=build /src /\n"
ORDERS = {
    "copy all": "COPY . .\nRUN go mod download\n",
    "go.mod first": f"{DOWNLOAD}COPY . .\n",
    "no download": "COPY . .\n",  # the compiler fetches what it needs
}
MAIN = """\
package main

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
)

func main() {{ fmt.Println(uuid.New(), xxhash.Sum64String("{text}")) }}
"""


@takes(order=ORDERS)
def dockerfile(order: str, mounts: str = "") -> str:
    """The text, in one of ORDERS, with what the compiler's RUN has mounted."""
    return f"{FIRST}{ORDERS[order]}RUN {mounts}CGO_ENABLED=0 go build -trimpath -o program .\n{LAST}"


@takes(dict.fromkeys(("copy all", "go.mod first"), "s"), compiler=COMPILERS)
def rebuild(engine: Engine, made: str, compiler: str) -> dict[str, float]:
    """Seconds of a build after a change of the source, in both orders, and `share`: what go.mod first takes of copy all, in per cent.

    An earlier build has left what it leaves: a layer with the modules, and behind the mount, if there is one, what was compiled.
    """
    mounts = COMPILERS[compiler]
    _build(engine, made, dockerfile("go.mod first", mounts) if mounts else f"{FIRST}{DOWNLOAD}{LAST}")
    found = {order: seconds(engine, made, order, mounts) for order in ("copy all", "go.mod first")}
    return found | {"share": 100 * found["go.mod first"] / found["copy all"]}


def seconds(engine: Engine, made: str, order: str, mounts: str = "") -> float:
    """Seconds of one build, of a source that no build has seen."""
    began = time.monotonic()
    _build(engine, made, dockerfile(order, mounts))
    return time.monotonic() - began


def _build(engine: Engine, made: str, text: str) -> None:
    files = {name: (paths.ROOT / "goapp" / name).read_text() for name in ("go.mod", "go.sum")}
    source = MAIN.format(text=uuid.uuid4().hex)
    with console.quiet():
        builds.build(engine, text, f"{made}:modcache", files=files | {"main.go": source})
