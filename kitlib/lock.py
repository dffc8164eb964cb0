"""One command at a time changes the engine, the images and the cluster.  The operating system frees the lock when its holder dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from kitlib import paths
from kitlib.console import step


@contextmanager
def exclusive(doing: str) -> Iterator[None]:
    """Hold the kit's lock; while another command holds it, wait and say whose it is.  Re-entrant within a process."""
    lock = _lock(paths.state() / "lock")
    holder = paths.state() / "lock.holder"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with step(f"waiting for another kit command to end ({_said(holder)})"):
            lock.acquire()
    try:
        holder.write_text(f"{doing}, process {os.getpid()}")
        yield
    finally:
        lock.release()


def _lock(file: Path) -> FileLock:
    return FileLock(file, is_singleton=True)


def _said(holder: Path) -> str:
    return holder.read_text() if holder.exists() else "just started"
