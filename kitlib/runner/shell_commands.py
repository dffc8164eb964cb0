"""`!command` in a notebook: a command that fails fails its cell, so that no later cell goes on with what is not there.

IPython runs the next line of the cell instead, and a headless run does not show the status.  `x = !command` stays as IPython has it, and
`!command || true` allows a failure.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from kitlib.errors import CommandFailed
from kitlib.host import preparation
from kitlib.masking import redact

WIDTH = 160  # characters of a command in an error
NEEDS = {"docker": "engine", "kubectl": "cluster"}  # what a command speaks to
NOT_FOUND = 127  # a shell's status for a program that is not there


def install(shell: Any) -> None:
    """Have the commands of this kernel's cells raise CommandFailed.  Outside a kernel, and the second time, this does nothing."""
    original = shell.system
    if getattr(shell, "kernel", None) is None or getattr(original, "raises", False):
        return

    def system(cmd: str) -> None:
        if cmd.rstrip().endswith("&"):
            original(cmd)  # IPython's own answer to a command in the background
        else:
            _run(shell, shell.var_expand(cmd, depth=1))  # with the names of the function that the command stands in

    system.raises = True  # type: ignore[attr-defined]
    shell.system = system


def failure(command: str, status: int) -> CommandFailed:
    """The error for a command; what it said stands above it already.  status: as `$?` has it."""
    hint = "is the name right? ./kit doctor shows which tools are there" if status == NOT_FOUND else ""
    return CommandFailed(_short(redact.mask(command)), status, "", hint=hint)


def _run(shell: Any, command: str) -> None:
    """Run a command in a terminal of its own, its output in the cell.  Raises CommandFailed, or KeyboardInterrupt after Ctrl-C."""
    for word in set(re.findall(r"[\w-]+", command)) & NEEDS.keys():
        preparation.awaited(NEEDS[word])
    from IPython.utils.process import system  # type: ignore[attr-defined]

    with _interrupts() as seen:
        status = system(command)
    shell.user_ns["_exit_code"] = status
    if seen or status == -signal.SIGINT:  # IPython ends the command, and says nothing of it
        raise KeyboardInterrupt
    if status:
        raise failure(command, status if status > 0 else 128 - status)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """The interrupts that came while the block ran; each still does what it would have done."""
    seen: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


def _short(command: str) -> str:
    """The command on one line: its first line, or the beginning of it."""
    first, *more = command.strip().splitlines() or [""]
    return f"{first[:WIDTH]} …" if more or len(first) > WIDTH else first
