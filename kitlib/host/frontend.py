"""Whether a learner sees the output live.  Where no front end can show a widget, the kit shows the same as text."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

VS_CODE = "__vsc_ipynb_file__"  # microsoft/vscode-jupyter, pull request 8531


def headless() -> bool:
    """Whether no front end shows widgets: one that does names the notebook; tools that execute notebooks do not."""
    return notebook() is None


def notebook() -> Path | None:
    """The file of the notebook that is open; None where no front end says so.

    A Jupyter server says it by a variable of the environment.  VS Code has no server, and sets a variable of the notebook.
    """
    name = os.environ.get("JPY_SESSION_NAME") or (_shell().user_ns.get(VS_CODE) if in_kernel() else None)
    return Path(name) if name else None


def in_kernel() -> bool:
    """Whether this process is a kernel.  IPython is imported only there: it costs a plain process 0.3 s."""
    return "ipykernel" in sys.modules and hasattr(_shell(), "kernel")


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()
