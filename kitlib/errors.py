"""Everything the kit can fail with, under one base.

    KitError
    ├── UsageError             wrong words on the command line or in a call
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
    │   └── WaitTimeout        a deadline passed; carries what was observed
    ├── ClaimError             the register or a frame does not fit the rule
    ├── ExerciseError          unknown exercise, or its check could not run
    └── ChapterFailed          a notebook stopped at a cell

Errors of the `kubernetes` and `docker` packages and of subprocesses are mapped where they enter: kube.py, engine.py, proc.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


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


class UsageError(KitError):
    """The call or the command line is wrong; nothing was done."""


class SetupError(KitError):
    """The machine lacks something that the kit cannot provide."""


class SupplyError(SetupError):
    """No supply can provide what was asked for."""


class EngineError(SetupError):
    """There is no container engine, or it refused a request."""


class CommandFailed(KitError):
    """A subprocess returned non-zero: `command` can be pasted into a shell, `output` is the end of what it printed."""

    def __init__(self, command: str, returncode: int, output: str, *, hint: str = "") -> None:
        super().__init__(f"exit {returncode} from: {command}", hint=hint, observed=output.strip().splitlines()[-20:])
        self.command = command
        self.returncode = returncode
        self.output = output


class BuildFailed(CommandFailed):
    """An image or a tool could not be built."""


class RegistryRefused(CommandFailed):
    """A registry let a client not in, was not believed by it, or has no such image or signature; its own words are in `output`."""

    def __init__(self, command: str, returncode: int, output: str, *, hint: str = "") -> None:
        steps = "is the registry's certificate believed? are user and password right? is the token still valid? is the image there?"
        super().__init__(command, returncode, output, hint=hint or steps)


class GoFailed(KitError):
    """Go refused a cell, or the program in it failed.  A notebook shows its words alone: a traceback of Python would tell nothing."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {line}" if i == 0 else line for i, line in enumerate(str(self).splitlines())]


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


class WaitTimeout(ClusterError):
    """A deadline passed; `observed` holds the last conditions, events and log lines."""


class ClaimError(KitError):
    """The register, or a frame given to a rule, is not what it should be."""


class ExerciseError(KitError):
    """The exercise is unknown, or its check could not look at the system."""


class ChapterFailed(KitError):
    """A chapter's notebook stopped; `cell` counts from 0."""

    def __init__(self, message: str, *, cell: int, hint: str = "", observed: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, observed=observed)
        self.cell = cell


@contextmanager
def expect(error: type[KitError]) -> Iterator[None]:
    """Run a block that must fail with this error, show what it says, and go on.  Raises AssertionError when nothing fails."""
    try:
        yield
    except error as e:
        print(f"{type(e).__name__}, as expected: {e}")
    else:
        raise AssertionError(f"{error.__name__} was expected, and nothing failed")
