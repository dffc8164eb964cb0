"""What does a bill of materials (SBOM), made from an image alone, say is in it; and is that all?"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pandas as pd

from kitlib import paths
from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.host import proc, tools

TAGS = "grpcnotrace"  # of the build that goapp's small images have
ENV = {"CGO_ENABLED": "0", "GOOS": "linux"}  # an image's program is one for Linux, wherever this runs
LIST = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}"


def artifacts(engine: Engine, reference: str) -> list[dict[str, Any]]:
    """The artifacts that syft finds in an image, in syft's own format.  Raises CommandFailed when the engine does not have the image."""
    quick = {"SYFT_FILE_METADATA_SELECTION": "none"}  # no digests of files: they are not used
    argv: list[Any] = [tools.syft(), "scan", "-q", "-o", "syft-json", f"docker:{reference}"]
    return list(json.loads(proc.run(argv, env={**engine.environment(), **quick}))["artifacts"])


def table(engine: Engine, reference: str) -> pd.DataFrame:
    """One row per component: name, version, type, and the file in the image that names it."""
    rows = [
        {"name": a["name"], "version": a["version"], "type": a["type"], "found in": a["locations"][0]["path"]}
        for a in artifacts(engine, reference)
    ]
    return pd.DataFrame(rows, columns=["name", "version", "type", "found in"]).sort_values(["type", "name"])


@cache
def modules() -> frozenset[tuple[str, str]]:
    """Name and version of each Go module that goapp's program is made of, as the go command says from the source (`go list -deps`)."""
    argv: list[Any] = [tools.go(), "list", "-deps", "-tags", TAGS, "-f", LIST, "./cmd/catalog"]
    output = proc.run(argv, cwd=paths.ROOT / "goapp", env={**tools.go_env(), **ENV})
    return frozenset((name, version) for name, version in (line.split() for line in output.splitlines() if line))


@takes({"components": "count"})
def listed(engine: Engine, reference: str) -> dict[str, float]:
    """`listed`: the share of goapp's modules that the image's SBOM names in their very versions, in %; `components`: all it names."""
    found = {(a["name"], a["version"]) for a in artifacts(engine, reference)}
    return {"listed": 100 * len(modules() & found) / len(modules()), "components": float(len(found))}
