"""The steps as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Literal

from kitlib import paths

FOLDER = paths.ROOT / "cluster" / "pipelines"


@dataclass(frozen=True)
class Step:
    """run: a shell script.  needs: the secrets that it is given, and no other step."""

    name: str
    run: str
    needs: Literal["", "login", "cluster"] = ""


STEPS = tuple(Step(**entry) for entry in tomllib.loads((FOLDER / "steps.toml").read_text())["step"])
