"""Processes that a kernel leaves running when it is ended: its children, and those in sessions of their own.

Each process that a kernel starts inherits a mark in its environment, by which it is found when its parents are gone.
"""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

MARK = "KIT_KERNEL"
GRACE = 1.0  # seconds between being asked to end and being killed
ENGINE = ("dockerd", "containerd", "docker-proxy", "runc")  # a container engine outlives the kernel that started it


def end(mark: str) -> None:
    """End every process that carries the mark, except a container engine and its processes."""
    asked: set[psutil.Process] = set()
    deadline = time.monotonic() + GRACE
    while found := _marked(mark):
        late = time.monotonic() > deadline
        for process in found:
            with suppress(psutil.Error):
                if late:
                    process.kill()
                elif process not in asked:
                    asked.add(process)
                    process.terminate()
        psutil.wait_procs(found, timeout=0.1)
        if time.monotonic() > deadline + GRACE:
            return  # in the kernel's hands: nothing ends it now


def _marked(mark: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _carries(process, mark)]


def _carries(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.Error, OSError):
        if process.environ().get(MARK) != mark or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return not process.name().startswith(ENGINE)
    return False
