"""Whether a learner sees the output live.  Where no front end can show a widget, the kit shows the same as text."""

from __future__ import annotations

import os
from pathlib import Path


def headless() -> bool:
    """Whether no front end shows widgets: only a Jupyter server names its kernels' sessions; tools that execute notebooks do not."""
    return "JPY_SESSION_NAME" not in os.environ


def notebook() -> Path | None:
    """The file of the notebook that is open; None where no Jupyter server says so."""
    name = os.environ.get("JPY_SESSION_NAME")
    return Path(name) if name else None
