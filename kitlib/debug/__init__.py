"""The notebook as an IDE: it attaches to Delve over the Debug Adapter Protocol, stops a program, and shows it.

dap.py      messages and their framing
session.py  attach, breakpoint, stopped, step, detach
stopped.py  what a stopped program looks like
asked.py    a request to a program that stands still
pod.py      Delve beside a running pod
ide.py      the same for VS Code and GoLand: the files that they read
"""

from typing import TYPE_CHECKING

from kitlib import lazy
from kitlib.debug.asked import Asked, ask
from kitlib.debug.session import Session, attach
from kitlib.debug.stopped import Frame, Stopped, Variable

__all__ = ["Asked", "Frame", "Session", "Stopped", "Variable", "ask", "attach"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
