"""Go's tools on one package of a module: format, vet, build, run, test.

Everything is built as the kit builds its own tools (no cgo, trimmed paths), so that the standard library is compiled once.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kitlib.errors import CommandFailed, GoFailed
from kitlib.golang.findings import Finding, crash, parse, quoted
from kitlib.golang.workspace import Cell, Module
from kitlib.host import environment, proc, tools

BIN = ".bin"  # Go ignores folders that begin with a dot
LINES = 2000  # of output; a program that prints more is ended


def formatted(body: str) -> str | None:
    """The text as gofmt writes it, a whole file or a part of one; None when gofmt cannot read it."""
    try:
        return proc.run([tools.goroot() / "bin" / "gofmt"], stdin=body, env=tools.go_env())
    except CommandFailed:
        return None


def vet(module: Module, package: str) -> list[Finding]:
    """Likely mistakes in a package that compiles."""
    return parse(
        proc.transcript([tools.go(), "vet", f"./{package}"], cwd=module.folder, env=_env(), check=False, group=True)
    )


def compiles(module: Module, package: str, *, cell: Cell | None = None) -> None:
    """Compile the package and link nothing, for one that is not a program yet.  Raises GoFailed that points into the cell."""
    _go(module, package, ["list", "-export"], cell)


def build(module: Module, package: str, *, cell: Cell | None = None, race: bool = False) -> Path:
    """The package's program.  Raises GoFailed that points into the cell."""
    return _compiled(module, package, ["build"], cell, race)


def build_test(module: Module, package: str, *, cell: Cell | None = None, race: bool = False) -> Path:
    """The package's tests and benchmarks as a program.  Raises GoFailed that points into the cell."""
    return _compiled(module, package, ["test", "-c"], cell, race)


def run(
    module: Module,
    program: Path,
    args: Sequence[str | Path] = (),
    *,
    cell: Cell | None = None,
    on_line: Callable[[str], None] | None = None,
    timeout: float | None = None,
) -> str:
    """Run a program in the module's folder and return what it prints.  An interrupt ends it with all that it started.

    Raises GoFailed when it returns non-zero, prints without end, or is not done after so many seconds.
    """
    try:
        return proc.transcript(
            [program, *args],
            cwd=module.folder,
            env=environment.program(),
            on_line=_bounded(on_line or (lambda _: None)),
            timeout=timeout,
            group=True,
        )
    except CommandFailed as e:
        where = quoted(crash(e.output, module), module, cell)
        shown = where if on_line else where or e.observed
        raise GoFailed(f"{program.name} ended with exit code {e.returncode}", observed=shown) from None


def without_race_detector() -> str:
    """Why the race detector is not available here, with the next step; empty where it is."""
    if sys.platform == "darwin":
        return ""  # it needs no cgo there
    compiler = shlex.split(proc.run([tools.go(), "env", "CC"], env=tools.go_env()))[0]
    if shutil.which(compiler):
        return ""
    return (
        f"not available here: Go's race detector needs a C compiler, and there is no {compiler}\n"
        "next: install it, on Debian and Ubuntu the packages gcc and libc6-dev, and run the cell again"
    )


def _compiled(module: Module, package: str, command: list[str], cell: Cell | None, race: bool) -> Path:
    program = module.folder / BIN / f"{package.replace('/', '-')}{'.test' if 'test' in command else ''}"
    program.unlink(missing_ok=True)  # a package without tests leaves none
    flags = ["-trimpath", *(["-race"] if race else []), "-o", str(program)]
    _go(module, package, [*command, *flags], cell, race)
    if not os.access(program, os.X_OK):
        raise GoFailed(
            f"{package} has nothing to run", hint="a program is package main; a test's file ends in _test.go"
        )
    return program


def _go(module: Module, package: str, command: list[str], cell: Cell | None, race: bool = False) -> None:
    try:
        proc.run([tools.go(), *command, f"./{package}"], cwd=module.folder, env=_env(race), group=True)
    except CommandFailed as e:
        found = quoted(parse(e.output), module, cell)
        raise GoFailed(f"{package} does not compile", observed=found or e.observed) from None


def _env(race: bool = False) -> dict[str, str]:
    return {**tools.go_env(), "CGO_ENABLED": "1" if race and sys.platform != "darwin" else "0"}


def _bounded(on_line: Callable[[str], None]) -> Callable[[str], None]:
    count = 0

    def counted(line: str) -> None:
        nonlocal count
        count += 1
        if count > LINES:
            raise GoFailed(f"it printed more than {LINES} lines, and was ended", hint="does a loop never end?")
        on_line(line)

    return counted
