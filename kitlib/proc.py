"""The one door to subprocesses."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from kitlib.errors import CommandFailed, SetupError

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
    error: type[CommandFailed] = CommandFailed,
) -> str:
    """Run a command to its end; return what it printed (stdout and stderr, interleaved).

    env is added to the process' own.  on_line sees each line as it comes.  timeout: seconds.
    The command dies with this process, also when this process is killed (Linux).
    Raises CommandFailed (or `error`) on a non-zero exit, SetupError when the program is missing.
    """
    args = [str(a) for a in argv]
    lines: list[str] = []
    try:
        with subprocess.Popen(
            args,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=_die_with_parent if _LIBC else None,
        ) as process:
            if stdin is not None and process.stdin:
                process.stdin.write(stdin)
                process.stdin.close()
            lines = _collect(process, on_line, timeout)
    except FileNotFoundError as e:
        raise SetupError(f"{args[0]} is not installed", hint="run ./kit doctor") from e
    if check and process.returncode != 0:
        raise error(shlex.join(args), process.returncode, "".join(lines))
    return "".join(lines)


@contextmanager
def stream(argv: Sequence[str | Path], *, env: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """What a command prints, as it comes, for streams that memory should not hold.  Raises CommandFailed when it returns non-zero."""
    args = [str(a) for a in argv]
    with (
        TemporaryFile() as errors,
        subprocess.Popen(
            args, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        assert process.stdout is not None  # it is a pipe
        yield process.stdout
        process.stdout.read()  # what the reader had no use for
        if process.wait() != 0:
            errors.seek(0)
            raise CommandFailed(shlex.join(args), process.returncode, errors.read().decode(errors="replace"))


def pipe(
    producer: Sequence[str | Path],
    consumer: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    error: type[CommandFailed] = CommandFailed,
) -> None:
    """Run `producer | consumer`, for streams that memory should not hold.  Raises `error` when either returns non-zero."""
    merged = {**os.environ, **env}
    with (
        subprocess.Popen(
            [str(a) for a in producer], env=merged, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        ) as first,
        subprocess.Popen(
            [str(a) for a in consumer],
            env=merged,
            stdin=first.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as second,
    ):
        if first.stdout:
            first.stdout.close()  # so that the producer ends when the consumer does
        output = second.communicate()[0]
    if first.returncode or second.returncode:
        command = f"{shlex.join(map(str, producer))} | {shlex.join(map(str, consumer))}"
        raise error(command, first.returncode or second.returncode, output)


def _collect(process: subprocess.Popen[str], on_line: Callable[[str], None] | None, timeout: float | None) -> list[str]:
    if on_line is None:
        try:
            return [process.communicate(timeout=timeout)[0] or ""]
        except subprocess.TimeoutExpired as e:
            process.kill()
            out = process.communicate()[0] or ""
            raise CommandFailed(shlex.join(map(str, process.args)), -9, f"{out}\nno end after {timeout} s") from e  # type: ignore[arg-type]
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        on_line(line.rstrip())
    return lines


def _die_with_parent() -> None:
    if _LIBC:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
