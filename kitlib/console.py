"""What a command says while it works: a live line on a terminal, plain lines elsewhere.  Everything goes to stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

_console = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str) -> Iterator[Callable[[str], None]]:
    """Announce a step; yields a function that shows the last line of its output.  Ends with its seconds, or with what failed."""
    began = time.monotonic()
    try:
        if _live():
            with _console.status(f"{what} …") as status:
                yield lambda line: status.update(f"{what} … [dim]{_escape(line)}[/dim]")
        else:
            say(f"{what} …")
            yield lambda _line: None
    except BaseException:
        say(f"✗ {what} ({time.monotonic() - began:.1f} s)")
        raise
    say(f"✓ {what} ({time.monotonic() - began:.1f} s)")


def say(line: str) -> None:
    """One line to stderr."""
    _console.print(line, markup=False, soft_wrap=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Say nothing meanwhile: many short steps in a row have a line of progress of their own."""
    before, _console.quiet = _console.quiet, True
    try:
        yield
    finally:
        _console.quiet = before


def _live() -> bool:
    return _console.is_terminal and not os.environ.get("CI") and sys.stderr.isatty()


def _escape(line: str) -> str:
    room = max(20, _console.width - 60)
    return line.strip()[:room].replace("[", r"\[")
