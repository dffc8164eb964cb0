"""What a linter says of a Dockerfile."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from kitlib import proc, tools


def lint(dockerfile: str) -> pd.DataFrame:
    """hadolint's findings, one a row: the line, its level, the rule's code, and its words.  No configuration of the user's counts."""
    with TemporaryDirectory() as folder:
        file, settings = Path(folder, "Dockerfile"), Path(folder, "none.yaml")
        file.write_text(dockerfile)
        settings.write_text("ignored: []\n")
        argv: list[str | Path] = [tools.hadolint(), "--no-fail", "--config", settings, "--format", "json", file]
        found = json.loads(proc.run(argv))
    return pd.DataFrame(found, columns=["line", "level", "code", "message"])
