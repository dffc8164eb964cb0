"""One command at a time changes the engine, the images and the cluster.  The operating system frees the lock when its holder dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from kitlib import paths
from kitlib.errors import SetupError
from kitlib.host import textfile
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


def _lock(file: Path) -> FileLock:
    return FileLock(file, is_singleton=True)


def _said(holder: Path) -> str:
    try:
        return textfile.one_line(holder.read_text(errors="replace")) or "just started"
    except OSError:
        return "just started"
