"""Commands that lead a process group, and end as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

GRACE = 2.0  # seconds between being asked to end and being killed


@contextmanager
def ended_early(process: subprocess.Popen[str]) -> Iterator[None]:
    """End the process' group when the block is left by an exception: an interrupt is passed on first, as a terminal would."""
    try:
        yield
    except KeyboardInterrupt:
        end(process, signal.SIGINT)
        raise
    except BaseException:
        end(process, signal.SIGKILL)
        raise


def end(process: subprocess.Popen[str], by: signal.Signals) -> None:
    """Ask the group by this signal, give its leader a grace, and kill whatever is left, also if there is a second interrupt."""
    try:
        _signal(process.pid, by)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _signal(group: int, by: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter when only zombies are
        os.killpg(group, by)
