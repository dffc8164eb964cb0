"""Text that holds no secret: what the kit's own authors wrote, as prose and as source code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from kitlib import paths

# Files whose subject are secrets: they have some, and on purpose.
ABOUT_SECRETS = ("tests/", "kitlib/masking/patterns/", "kitlib/masking/redact.py", "docs/secrets.md")


@dataclass(frozen=True)
class Text:
    """file: below the repository's root."""

    file: str
    prose: bool
    text: str


def texts() -> Iterator[Text]:
    """Every committed text file; of a notebook, its markdown and its code."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=paths.ROOT, capture_output=True, text=True, check=True
    ).stdout
    for file in filter(None, listed.split("\0")):
        if file.startswith(ABOUT_SECRETS) or not (paths.ROOT / file).is_file():
            continue
        try:
            text = (paths.ROOT / file).read_text()
        except UnicodeDecodeError:
            continue
        yield from _notebook(file, text) if file.endswith(".ipynb") else [Text(file, file.endswith(".md"), text)]


def _notebook(file: str, text: str) -> Iterator[Text]:
    cells = json.loads(text)["cells"]
    for kind in ("markdown", "code"):
        sources = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)
        yield Text(file, kind == "markdown", "\n\n".join(sources))
