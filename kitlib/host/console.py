"""A command's progress: a live line on a terminal, plain lines elsewhere, all of it to stderr; results go to stdout.

A closed reader (`| head`, a closed terminal) ends no command, and causes no traceback.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console


class Listener(Protocol):
    """Hears of the steps of this process, also of those within others."""

    def began(self, what: str) -> None:
        """A step begins."""

    def said(self, line: str) -> None:
        """The innermost step has printed a line."""

    def ended(self) -> None:
        """The innermost step has ended, well or not."""


_listeners: list[Listener] = []


@cache
def _console() -> Console:
    """Created at the first message: importing the package takes longer than many commands."""
    from rich.console import Console

    class Patient(Console):
        """A console that becomes quiet when stderr has no reader."""

        def on_broken_pipe(self) -> None:
            self.quiet = True
            abandon(sys.stderr)

    return Patient(stderr=True, highlight=False)


@contextmanager
def step(what: str) -> Iterator[Callable[[str], None]]:
    """Announce a step; yields a function that shows the last line of its output.  At the end, print its seconds, or the error."""
    for listener in _listeners:
        listener.began(what)
    at, began = time.time(), time.monotonic()
    try:
        with _shown(what) as show:
            yield _spread(show)
    except BaseException:
        _ended(what, at, time.monotonic() - began, ok=False)
        raise
    _ended(what, at, time.monotonic() - began, ok=True)


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Tell a listener of each step while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def _shown(what: str) -> Iterator[Callable[[str], None]]:
    if _live():
        with _console().status(f"{what} …") as status:
            yield lambda line: status.update(f"{what} … [dim]{_escape(line)}[/dim]")
    else:
        say(f"{what} …")
        yield lambda _line: None


def _spread(show: Callable[[str], None]) -> Callable[[str], None]:
    def line(text: str) -> None:
        show(text)
        for listener in _listeners:
            listener.said(text)

    return line


def _ended(what: str, at: float, seconds: float, *, ok: bool) -> None:
    """Print how a step ended, and append it to the file KIT_STEPS, if it is set: a JSON object per line."""
    for listener in _listeners:
        listener.ended()
    say(f"{'✓' if ok else '✗'} {what} ({seconds:.1f} s)")
    if file := os.environ.get("KIT_STEPS"):
        with Path(file).open("a") as steps:
            steps.write(json.dumps({"what": what, "at": at, "seconds": seconds, "ok": ok}) + "\n")


def say(line: str) -> None:
    """One line to stderr."""
    with suppress(OSError):  # the terminal is closed, or the log's disk is full
        _console().print(line, markup=False, soft_wrap=True)


def show(lines: Sequence[str]) -> None:
    """Lines to stdout."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
    except OSError as error:
        abandon(sys.stdout)
        say(f"kit: stdout cannot be written: {error.strerror}")


def abandon(stream: TextIO | None) -> None:
    """Discard output that is still to be written, also what Python flushes at its end.  None: a stream that is closed."""
    if stream is None:
        return
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


@contextmanager
def quiet() -> Iterator[None]:
    """Print no steps in the block: many short steps in a row have a line of progress of their own."""
    before, _console().quiet = _console().quiet, True
    try:
        yield
    finally:
        _console().quiet = before


def _live() -> bool:
    return _console().is_terminal and not os.environ.get("CI") and sys.stderr.isatty()


def _escape(line: str) -> str:
    room = max(20, _console().width - 60)
    return line.strip()[:room].replace("[", r"\[")
