"""Whether a learner sees the output live.  Where no front end can show a widget, the kit shows the same as text."""

from __future__ import annotations

import os


def headless() -> bool:
    """Whether no front end shows widgets: only a Jupyter server names its kernels' sessions; tools that execute notebooks do not."""
    return "JPY_SESSION_NAME" not in os.environ
