"""The measuring programs in kitlib/measure/golang/go, a Go module of its own that needs the standard library alone."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from kitlib.errors import BuildFailed
from kitlib.host import identity, proc, tools

FOLDER = Path(__file__).parent / "go"
ENV = {"CGO_ENABLED": "0"}


@cache
def binary(name: str) -> Path:
    """One of the programs, built; the first call of a process takes the time of a link."""
    program = identity.home() / "go" / ".measure" / name
    argv: list[str | Path] = [tools.go(), "build", "-trimpath", "-o", program, f"./{name}"]
    proc.run(argv, cwd=FOLDER, env={**tools.go_env(), **ENV}, error=BuildFailed, group=True)
    return program


def answer(name: str, *args: str | Path) -> dict[str, Any]:
    """A program's output, which is JSON.  Raises CommandFailed when it fails."""
    found: dict[str, Any] = json.loads(proc.run([binary(name), *args], group=True))
    return found
