"""Locks between processes of the kit.  The operating system frees them when their holder dies.

One command at a time changes the engine, the images and the cluster.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from kitlib import paths
from kitlib.errors import SetupError
from kitlib.host import textfile, turns, waiting
from kitlib.host.console import step


@contextmanager
def exclusive(doing: str) -> Iterator[None]:
    """Hold the kit's lock; while another command holds it, wait and print which one.  Re-entrant within a process."""
    lock = _lock(paths.state() / "lock")
    holder = paths.state() / "lock.holder"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with step(f"waiting for another kit command to end ({_said(holder)})"):
            lock.acquire()
    except (OSError, NotImplementedError) as e:
        why = textfile.reason(e) if isinstance(e, OSError) else "this file system has no locks"
        raise SetupError(
            f"the lock {lock.lock_file} cannot be taken: {why}",
            hint="remove it, or set KIT_HOME to a folder of your own on a local disk",
        ) from e
    try:
        with suppress(OSError):  # only for the message of commands that wait
            holder.write_text(f"{doing}, process {os.getpid()}")
        yield
    finally:
        lock.release()


@contextmanager
def one_maker(what: str) -> Iterator[None]:
    """Hold the lock of a thing in the cache, such as a tool; a process that waits for another that makes it measures nothing meanwhile.

    After the wait, the thing may be there.
    """
    lock = FileLock(paths.cache() / f"{what}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with turns.interrupted(), waiting.line(f"{what} is made by another process of the kit"):
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _lock(file: Path) -> FileLock:
    return FileLock(file, is_singleton=True)


def _said(holder: Path) -> str:
    try:
        return textfile.one_line(holder.read_text(errors="replace")) or "just started"
    except OSError:
        return "just started"
