"""The one door to subprocesses."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypedDict, Unpack

from kitlib.errors import CommandFailed, SetupError
from kitlib.host import environment, procgroup
from kitlib.host.stopping import Stopped
from kitlib.host.streams import Said, read


class How(TypedDict, total=False):
    """How a command is run; `run` explains each field."""

    cwd: Path | None
    env: Mapping[str, str] | None
    stdin: str | None
    timeout: float | None
    check: bool
    on_line: Callable[[str], None] | None
    error: type[CommandFailed]
    group: bool
    stoppable: bool


def run(argv: Sequence[str | Path], **how: Unpack[How]) -> str:
    """Run a command to its end; return its stdout, which is data.  A warning on stderr never becomes a part of it.

    env is added to `environment.base()`, the few user variables that every program gets.  on_line sees each line of both streams as
    it comes; a line that is rewritten by carriage returns is one line.  stdin: a text, by default nothing.  timeout: seconds.  check:
    whether a non-zero exit raises (the default).  The call ends with the command: it does not wait for a child that keeps a stream open.
    group: the command leads a process group; when the call ends, or is ended early (an interrupt, on_line), all of the group ends.
    stoppable: likewise, and the group may be stopped by SIGSTOP meanwhile: it ends even so, also when this process is killed.
    The command dies with this process, also when this process is killed (Linux).
    Raises CommandFailed (or `error`), with the last lines of both streams, on a non-zero exit; SetupError when the program is missing.
    """
    return _said(argv, **how).data


def transcript(argv: Sequence[str | Path], **how: Unpack[How]) -> str:
    """Run a command to its end; return its output as on a terminal, stdout and stderr in order.  To be shown, never parsed.

    Everything else is as in `run`.
    """
    return _said(argv, **how).text


def _said(
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
    stoppable: bool = False,
) -> Said:
    args = [str(a) for a in argv]
    group = group or stoppable
    by = signal.SIGKILL if stoppable else signal.SIGTERM  # the latter waits until a stopped process goes on
    with (
        _installed(args[0]),
        _given(stdin) as given,
        _started(args, cwd=cwd, env=env, stdin=given, group=group, stderr=subprocess.PIPE, by=by) as process,
        procgroup.ended(process) if group else _told_of_the_end(process),
    ):
        said = read(process, on_line, timeout)
    if said.late:
        raise error(shlex.join(args), process.returncode, f"{said.text.rstrip()}\nno end after {timeout} s")
    if check and process.returncode != 0:
        raise error(shlex.join(args), process.returncode, said.text)
    return said


@contextmanager
def _told_of_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass on SIGTERM, which only this process gets; an interrupt comes to all that a terminal runs.  Popen waits for the end."""
    try:
        yield
    except Stopped as e:
        if e.number == signal.SIGTERM:
            process.terminate()
        raise


@dataclass(frozen=True)
class Background:
    """A command that runs beside a block.  stdout: its lines as they come, which are data."""

    process: subprocess.Popen[bytes]
    stdout: Iterable[str]
    _errors: IO[bytes]

    def errors(self) -> list[str]:
        """The lines that it has written to stderr so far; none when that is a part of stdout."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").splitlines()


@contextmanager
def background(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    by: signal.Signals = signal.SIGTERM,
    merged: bool = False,
) -> Iterator[Background]:
    """A command that runs beside the block.  When the block is left, its process group is ended.

    by: the signal that asks for the end.  env is added to `environment.base()`.  merged: stdout takes stderr too, for what is to be
    shown, or searched for a line that may come on either.
    """
    args = [str(a) for a in argv]
    with (
        _installed(args[0]),
        TemporaryFile() as errors,
        _started(
            args, cwd=cwd, env=env, stdin=subprocess.DEVNULL, group=True, stderr=subprocess.STDOUT if merged else errors
        ) as process,
    ):
        assert process.stdout is not None  # it is a pipe
        try:
            yield Background(process, TextIOWrapper(process.stdout, errors="replace"), errors)
        finally:
            procgroup.end(process, by)


def _started(
    args: Sequence[str],
    *,
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: int | IO[bytes],
    stderr: int | IO[bytes],
    group: bool,
    by: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """A command that dies with this process (Linux).  by: the signal that ends it then."""
    whole = {**environment.base(), **(env or {})}
    return subprocess.Popen(
        dying(args, whole.get("PATH"), by),
        cwd=cwd,
        env=whole,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        process_group=0 if group else None,
    )


@contextmanager
def stream(argv: Sequence[str | Path], *, env: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """Stream a command's output as it comes, for output that is too large for memory.  Raises CommandFailed when it returns non-zero."""
    args = [str(a) for a in argv]
    with (
        _installed(args[0]),
        TemporaryFile() as errors,
        subprocess.Popen(
            args, env={**environment.base(), **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        assert process.stdout is not None  # it is a pipe
        yield process.stdout
        process.stdout.read()  # the output that the reader did not use
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
    merged = {**environment.base(), **env}
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
def _given(text: str | None) -> Iterator[IO[bytes] | int]:
    """A command's stdin as a file, so that neither side waits for the other, and the command need not read it all."""
    if text is None:
        yield subprocess.DEVNULL
        return
    with TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file


def dying(args: Sequence[str], path: str | None = None, by: signal.Signals = signal.SIGTERM) -> list[str]:
    """The same command, ended by the kernel when the thread that starts it has ended (Linux, by util-linux' setpriv).

    path: where the program is looked for.  One that is not there is left as it is, so that its start says so.  by: the signal.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    found = setpriv and shutil.which(args[0], path=path)
    return [setpriv, "--pdeathsig", by.name.removeprefix("SIG"), "--", *args] if setpriv and found else list(args)
