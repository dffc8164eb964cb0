"""The findings of a linter in a Dockerfile."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from kitlib.host import proc, tools


def lint(dockerfile: str) -> pd.DataFrame:
    """hadolint's findings, one per row: the line, its level, the rule's code, and its message.  The user's configuration is ignored."""
    with TemporaryDirectory() as folder:
        file, settings = Path(folder, "Dockerfile"), Path(folder, "none.yaml")
        file.write_text(dockerfile)
        settings.write_text("ignored: []\n")
        argv: list[str | Path] = [tools.hadolint(), "--no-fail", "--config", settings, "--format", "json", file]
        found = json.loads(proc.run(argv))
    return pd.DataFrame(found, columns=["line", "level", "code", "message"])
