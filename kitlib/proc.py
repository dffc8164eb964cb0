"""The one door to subprocesses."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from kitlib import procgroup
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
    group: bool = False,
) -> str:
    """Run a command to its end; return what it printed (stdout and stderr, interleaved).

    env is added to the process' own.  on_line sees each line as it comes.  timeout: seconds.
    group: the command leads a process group, and whatever ends this call early (an interrupt, on_line) ends all of the group.
    The command dies with this process, also when this process is killed (Linux).
    Raises CommandFailed (or `error`) on a non-zero exit, SetupError when the program is missing.
    """
    args = [str(a) for a in argv]
    lines: list[str] = []
    with (
        _installed(args[0]),
        _given(stdin) as given,
        _started(args, cwd=cwd, env=env, stdin=given, group=group) as process,
        _deadline(process, timeout) as late,
        procgroup.ended_early(process) if group else nullcontext(),
    ):
        for line in process.stdout or ():
            lines.append(line)
            if on_line:
                on_line(line.rstrip())
        process.wait()
    if late.is_set():
        raise error(shlex.join(args), process.returncode, f"{''.join(lines).rstrip()}\nno end after {timeout} s")
    if check and process.returncode != 0:
        raise error(shlex.join(args), process.returncode, "".join(lines))
    return "".join(lines)


@contextmanager
def beside(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    by: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[str]]:
    """A command that runs beside the block; stdout is a pipe that takes stderr, too.  When the block is left, its process group is ended.

    by: the signal that asks for the end.  env is added to the process' own.
    """
    args = [str(a) for a in argv]
    with _installed(args[0]), _started(args, cwd=cwd, env=env, stdin=subprocess.DEVNULL, group=True) as process:
        try:
            yield process
        finally:
            procgroup.end(process, by)


def _started(
    args: Sequence[str], *, cwd: Path | None, stdin: int | IO[bytes], group: bool, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A command whose two streams come as one text, and which dies with this process (Linux)."""
    return subprocess.Popen(
        args,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=DIES_WITH_PARENT,
        process_group=0 if group else None,
    )


@contextmanager
def stream(argv: Sequence[str | Path], *, env: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """What a command prints, as it comes, for streams that memory should not hold.  Raises CommandFailed when it returns non-zero."""
    args = [str(a) for a in argv]
    with (
        _installed(args[0]),
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
    """Run `producer | consumer`, for streams that memory should not hold.  Raises `error` when either returns non-zero.

    The exit code is that of a shell's pipefail, the last one that is not 0; the output is what both said, the consumer's first.
    """
    merged = {**os.environ, **env}
    with (
        _installed(str(producer[0]), str(consumer[0])),
        TemporaryFile() as errors,
        subprocess.Popen(
            [str(a) for a in producer], env=merged, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as first,
        subprocess.Popen(
            [str(a) for a in consumer],
            env=merged,
            stdin=first.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as second,
    ):
        if first.stdout:
            first.stdout.close()  # so that the producer ends when the consumer does
        output = second.communicate()[0]
        first.wait()
        errors.seek(0)
        output += errors.read().decode(errors="replace")
    if first.returncode or second.returncode:
        command = f"{shlex.join(map(str, producer))} | {shlex.join(map(str, consumer))}"
        raise error(command, second.returncode or first.returncode, output)


@contextmanager
def _installed(*programs: str) -> Iterator[None]:
    """A missing program is a SetupError; a missing working folder, or a file missing elsewhere, stays what it is."""
    try:
        yield
    except FileNotFoundError as e:
        if e.filename not in programs:
            raise
        raise SetupError(f"{e.filename} is not installed", hint="run ./kit doctor") from e


@contextmanager
def _deadline(process: subprocess.Popen[str], seconds: float | None) -> Iterator[threading.Event]:
    """Kill the process after so many seconds; the event says that this was done."""
    passed = threading.Event()

    def kill() -> None:
        if process.poll() is None:
            passed.set()
            process.kill()

    timer = threading.Timer(seconds or 0, kill)
    if seconds is not None:
        timer.start()
    try:
        yield passed
    finally:
        timer.cancel()


@contextmanager
def _given(text: str | None) -> Iterator[IO[bytes] | int]:
    """What a command reads: a file, so that neither side waits for the other, and the command need not read it all."""
    if text is None:
        yield subprocess.DEVNULL
        return
    with TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file


def _die_with_parent() -> None:
    if _LIBC:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


DIES_WITH_PARENT = (
    _die_with_parent if _LIBC else None
)  # for Popen's preexec_fn: asks the child to end when its parent is gone (Linux)
