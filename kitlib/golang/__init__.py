"""Go in a notebook: `%load_ext kitlib.golang`, then `%%go` cells, which are files of a real Go module.

    module = %go_module 1-go-basics

    %%go hello
    package main

    import "fmt"

    func main() { fmt.Println("hello") }

workspace.py has the module and what a cell is in it, toolchain.py builds and runs, findings.py points into the cell, profile.py
draws where a benchmark's time went, service.py sends requests to a program that serves, magics.py has the magics for IPython.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitlib import lazy
from kitlib.golang.service import ask, serving
from kitlib.golang.workspace import Module

__all__ = ["Module", "ask", "load_ipython_extension", "serving"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; `%load_ext` calls this."""
    from kitlib.golang.magics import GoMagics

    shell.register_magics(GoMagics)
