"""Everything the kit can fail with, under one base.

    KitError
    ├── UsageError             wrong words on the command line or in a call
    │   └── InputError         a file or a setting that the kit reads is not what it should be
    ├── SetupError             this machine lacks something
    │   ├── SupplyError        no supply can provide an image or a tool
    │   └── EngineError        no container engine, or it does not answer
    ├── CommandFailed          a subprocess returned non-zero
    │   ├── BuildFailed        ... while an image or a tool was being built
    │   └── RegistryRefused    ... because a registry did not do what its client asked
    ├── GoFailed               a Go cell does not compile, or its program failed
    ├── DebugError             the debugger refused a request, or does not answer
    ├── ClusterError           the bound cluster does not answer as it should
    │   ├── NotOurs            a cluster, container or registry the kit did not create
    │   ├── ApiError           the API server refused a request
    │   │   └── NamespaceGone  ... because the namespace in which a chapter works was deleted
    │   └── WaitTimeout        a deadline passed; carries what was observed
    ├── ClaimError             the register or a frame does not fit the rule
    │   └── RegisterError      ... the register itself cannot be used (also an InputError)
    ├── ExerciseError          unknown exercise, or its check could not run
    └── ChapterFailed          a notebook stopped at a cell

Errors of the connection to the API server, of the `docker` package and of subprocesses are mapped where they enter: kube/client.py,
engine/client.py, host/proc.py.
"""

from __future__ import annotations

import difflib
import linecache
import os
import re
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType


class KitError(Exception):
    """A failure with the next step to take.

    hint: one line, what to do next.  observed: lines of evidence (status, events, log tail), newest last.
    """

    def __init__(self, message: str, *, hint: str = "", observed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.observed = tuple(observed)

    def __str__(self) -> str:
        lines = [self.message, *(f"  {line}" for line in self.observed)]
        if self.hint:
            lines.append(f"next: {self.hint}")
        return "\n".join(lines)

    @property
    def brief(self) -> str:
        """The message, and the evidence that says most: for an error that was planned."""
        return "\n".join([self.message, *(f"  {line}" for line in self._decisive())])

    def _decisive(self) -> list[str]:
        return [line.strip() for line in self.observed[-1:]]

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the text, and the lines of cells; all frames if KIT_DEBUG is set."""
        if os.environ.get("KIT_DEBUG"):
            return "".join(traceback.format_exception(self)).splitlines()
        return [*_told(self), *_cell_lines(self.__traceback__)]


class UsageError(KitError):
    """The call or the command line is wrong; nothing was done."""


class InputError(UsageError):
    """A file, or a variable of the environment, that the kit reads is not what it should be; the message names it."""


class SetupError(KitError):
    """The machine lacks something that the kit cannot provide."""


class SupplyError(SetupError):
    """No supply can provide what was asked for."""


class EngineError(SetupError):
    """There is no container engine, or it refused a request."""


class CommandFailed(KitError):
    """A subprocess returned non-zero: `command` can be pasted into a shell, `output` is the end of what it printed.

    A notebook shows only the message, also for a `!command` in a cell, whose output stands above it.
    """

    def __init__(self, command: str, returncode: int, output: str, *, hint: str = "") -> None:
        super().__init__(f"exit {returncode} from: {command}", hint=hint, observed=output.strip().splitlines()[-20:])
        self.command = command
        self.returncode = returncode
        self.output = output


class BuildFailed(CommandFailed):
    """An image or a tool could not be built."""


class RegistryRefused(CommandFailed):
    """A registry refused a client, its certificate is not trusted, or it has no such image or signature; `output` has the message."""

    def __init__(self, command: str, returncode: int, output: str, *, hint: str = "") -> None:
        steps = "is the registry's certificate trusted? are user and password right? is the token still valid? does the image exist?"
        super().__init__(command, returncode, output, hint=hint or steps)


class GoFailed(KitError):
    """Go refused a cell, or the program in it failed.  A notebook shows only the message: a Python traceback would not help."""

    def _render_traceback_(self) -> list[str]:
        """The text that IPython shows in place of a traceback."""
        return _told(self)


class DebugError(KitError):
    """The debugger refused a request, or does not answer; `observed` holds what it has said last."""


class ClusterError(KitError):
    """The bound cluster does not answer as it should."""


class NotOurs(ClusterError):
    """Something of that name exists and the kit did not create it; it was left alone."""


class ApiError(ClusterError):
    """The API server refused a request: `status` is the HTTP code (0: no answer)."""

    def __init__(self, message: str, *, status: int, hint: str = "", observed: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, observed=observed)
        self.status = status


class NamespaceGone(ApiError):
    """A namespace was deleted, or is being deleted: nothing that was in it is there, and nothing new can appear in it."""

    AGAIN = "run the cell below *Bind* again, and then the cells after it"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"namespace {name} is not there any more",
            status=404,
            hint=self.AGAIN,
        )
        self.name = name


class WaitTimeout(ClusterError):
    """A deadline passed; `observed` holds the last conditions, events and log lines."""

    def _decisive(self) -> list[str]:
        """The first condition, and the first container that waits or has ended: events can be older than the wait."""
        lines = [line.strip() for line in self.observed]
        containers = [line for line in lines if re.match(r"[\w-]+: (?:waiting|terminated)\b", line)]
        return list(dict.fromkeys([*lines[:1], *containers[:1]]))


class ClaimError(KitError):
    """The register, or a frame given to a rule, is not what it should be."""


class RegisterError(ClaimError, InputError):
    """The register of claims cannot be used; the message names the file, the line and the entry."""


class ExerciseError(KitError):
    """The exercise is unknown, or its check could not look at the system."""


class ChapterFailed(KitError):
    """A chapter's notebook stopped; `cell` counts from 0."""

    def __init__(self, message: str, *, cell: int, hint: str = "", observed: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, observed=observed)
        self.cell = cell


def meant(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for an unknown name: the names that come close, else `otherwise`, by default all names."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.76)
    return f"did you mean {' or '.join(close)}?" if close else otherwise or f"one of {', '.join(names)}"


def choice(value: object, known: Iterable[object], what: str) -> None:
    """Raise UsageError, with the values that come close, when a value is none of the known ones.  what: like "an event"."""
    every = list(known)
    if value not in every:
        raise UsageError(f"{value!r} is not {what}", hint=meant(str(value), map(str, every)))


def _told(error: KitError) -> list[str]:
    """The error's name and its text, line by line."""
    return f"{type(error).__name__}: {error}".splitlines()


def _cell_lines(trace: TracebackType | None) -> Iterator[str]:
    """The lines of cells through which an error came, the outermost first.  Of a cell in another language, the error names the line."""
    for frame, number in traceback.walk_tb(trace):
        if frame.f_globals.get("__name__") == "__main__":
            code = frame.f_code
            line = linecache.getline(code.co_filename, number).strip()
            where = "the cell" if code.co_name == "<module>" else f"{code.co_name}()"
            if not line.startswith("get_ipython().run_cell_magic("):
                yield f"in line {number} of {where}: {_as_typed(line)}"


def _as_typed(line: str) -> str:
    """A `!command` as it stands in the cell: IPython makes a call of it."""
    return re.sub(r"get_ipython\(\)\.system\(f?(['\"])(.*)\1\)", r"!\2", line)


@contextmanager
def expect(error: type[KitError]) -> Iterator[None]:
    """Run a block that must fail with this error, show its cause, and go on.  Raises AssertionError when nothing fails."""
    try:
        yield
    except error as e:
        print(f"{type(e).__name__}, as expected: {e.brief}")
    else:
        raise AssertionError(f"{error.__name__} was expected, and nothing failed")
