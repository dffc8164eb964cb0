"""The magics for IPython: `%%go` and `%go_module`."""

from __future__ import annotations

import argparse
import difflib
import shlex
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from kitlib.errors import GoFailed, UsageError, expect
from kitlib.golang import profile, toolchain
from kitlib.golang.findings import quoted
from kitlib.golang.workspace import Cell, Module

BENCH_TIME = "0.5s"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%go: {message}", hint=" ".join(self.format_usage().split()))


def _options() -> _Parser:
    """The words behind %%go."""
    parser = _Parser(prog="%%go", add_help=False)
    parser.add_argument(
        "name", nargs="?", default="cell", help="a program, run from NAME/main.go; or a file, checked only"
    )
    parser.add_argument("--import", dest="imports", default="", metavar="A,B", help="for a cell without package clause")
    parser.add_argument("--test", action="store_true", help="the cell is NAME's test file: run its tests")
    parser.add_argument("--bench", action="store_true", help="the cell is NAME's test file: run its benchmarks")
    parser.add_argument("--profile", action="store_true", help="draw where the CPU's time went; with --bench")
    parser.add_argument("--race", action="store_true", help="with the race detector")
    parser.add_argument("--fails", action="store_true", help="it must fail; show the error, and go on")
    return parser


@magics_class
class GoMagics(Magics):
    """The magics, and the module that the notebook's cells are files of."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._module = ""

    @line_magic
    def go_module(self, line: str) -> Module:
        """%go_module NAME: the cells below are files of this module, which is created when it is missing."""
        module = Module.open(line.strip())
        self._module = module.name
        return module

    @cell_magic
    def go(self, line: str, body: str) -> None:
        """%%go [NAME] [--import A,B] [--test] [--bench [--profile]] [--race] [--fails]: write, check, build and run the cell."""
        run_cell(Module.open(self._module or "scratch"), line, body)


def run_cell(module: Module, line: str, body: str) -> None:
    """Do what a %%go cell does: write it into the module, show what gofmt and vet say, build it, run it, print as it prints."""
    options = _options().parse_args(shlex.split(line))
    if options.profile and not options.bench:
        raise UsageError("--profile draws where a benchmark's time goes", hint="%%go NAME --bench --profile")
    imports = tuple(path for path in options.imports.split(",") if path)
    cell = Cell.of(options.name, line, body, imports=imports, test=options.test or options.bench)
    if options.race and (lack := toolchain.without_race_detector()):
        print(lack)
        return
    with expect(GoFailed) if options.fails else nullcontext():
        _run(module, cell, options)


def _run(module: Module, cell: Cell, options: argparse.Namespace) -> None:
    module.write(cell.file, cell.text)
    _print(_differences(cell))
    program = _built(module, cell, options)
    _print(quoted(toolchain.vet(module, cell.package), module, cell))
    if program is None:
        print(f"{cell.file} compiles")
    elif options.bench:
        _bench(module, program, cell, options.profile)
    else:
        args = ["-test.v"] if options.test else []
        toolchain.run(module, program, args, cell=cell, on_line=_say)


def _built(module: Module, cell: Cell, options: argparse.Namespace) -> Path | None:
    """The program to run; None for a file, which is only compiled."""
    if options.test or options.bench:
        return toolchain.build_test(module, cell.package, cell=cell, race=options.race)
    if options.name.endswith(".go"):
        toolchain.compiles(module, cell.package, cell=cell)
        return None
    return toolchain.build(module, cell.package, cell=cell, race=options.race)


def _bench(module: Module, program: Path, cell: Cell, profiled: bool) -> None:
    samples = program.with_suffix(".cpu")
    args = ["-test.run=^$", "-test.bench=.", "-test.benchmem", f"-test.benchtime={BENCH_TIME}"]
    if profiled:
        args.append(f"-test.cpuprofile={samples}")
    toolchain.run(module, program, args, cell=cell, on_line=_say)
    if profiled:
        from IPython.display import display

        display(profile.draw(profile.top(samples, program=program), f"Where {cell.package} spends its time"))


def _differences(cell: Cell) -> Iterator[str]:
    """The lines that gofmt would change, with the cell's line numbers; nothing for a cell that does not parse."""
    wanted = toolchain.formatted(cell.body)
    if wanted is None or wanted.rstrip() == cell.body.rstrip():
        return
    yield "gofmt writes it so:"
    old, new = cell.body.rstrip().splitlines(), wanted.rstrip().splitlines()
    for kind, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield f"line {first + 2}"
            yield from (f"  - {line}" for line in old[first:last])
            yield from (f"  + {line}" for line in new[begin:end])


def _print(lines: Any) -> None:
    for line in lines:
        print(line)


def _say(line: str) -> None:
    print(line, flush=True)
