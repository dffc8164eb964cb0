"""Commands that lead a process group, and end as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

GRACE = 2.0  # seconds between being asked to end and being killed


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End what is left of the process' group when the block is left; after an interrupt, which is passed on first, as a terminal would."""
    try:
        yield
        _signal(process.pid, signal.SIGKILL)
    except KeyboardInterrupt:
        end(process, signal.SIGINT)
        raise
    except BaseException:
        end(process, signal.SIGKILL)
        raise


def end(process: subprocess.Popen[bytes], by: signal.Signals) -> None:
    """Send the group this signal, give its leader time to end, and kill what is left, also if there is a second interrupt."""
    try:
        _signal(process.pid, by)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _signal(group: int, by: signal.Signals) -> None:
    with suppress(
        ProcessLookupError, PermissionError
    ):  # no process is left; macOS raises the latter when only zombies are
        os.killpg(group, by)
