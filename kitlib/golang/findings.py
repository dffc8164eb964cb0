"""Messages of the compiler, of vet and of a crashed program, pointed into the cell: line, source, caret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kitlib.golang.workspace import Cell, Module

TAB = 4
_FOUND = re.compile(r"(?:vet: )?(?P<file>[^\s:]+\.go):(?P<line>\d+)(?::(?P<column>\d+))?: (?P<message>.*)")


@dataclass(frozen=True)
class Finding:
    """One remark on one place.  file: in the module; line and column from 1, the column in bytes, 0 for none."""

    file: str
    line: int
    column: int
    message: str


def parse(output: str) -> list[Finding]:
    """The remarks in the output of go build or go vet, without doubles; lines that go on with a tab belong to the remark above."""
    found: list[Finding] = []
    for line in output.splitlines():
        if match := _FOUND.match(line):
            file = match["file"].removeprefix("./")
            found.append(Finding(file, int(match["line"]), int(match["column"] or 0), match["message"]))
        elif line.startswith("\t") and found:
            last = found.pop()
            found.append(Finding(last.file, last.line, last.column, f"{last.message} {line.strip()}"))
    return list(dict.fromkeys(found))


def crash(output: str, module: Module) -> list[Finding]:
    """The place of a panic or a race: the first one in the module's own files, below the error's message; else nothing."""
    said = re.search(r"^(?:panic: |fatal error: |WARNING: DATA RACE).*$", output, re.MULTILINE)
    place = re.search(rf"^\s+{re.escape(module.path)}/(\S+\.go):(\d+)", output, re.MULTILINE)
    return [Finding(place[1], int(place[2]), 0, said[0])] if said and place else []


def quoted(findings: Sequence[Finding], module: Module, cell: Cell | None = None) -> list[str]:
    """Each remark with the line that it is on, and a caret; of another file than the cell's, with that file's name."""
    return [line for finding in findings for line in _quoted(finding, module, cell)]


def _quoted(finding: Finding, module: Module, cell: Cell | None) -> Iterator[str]:
    mine = cell is not None and finding.file == cell.file
    yield f"{'line' if mine else f'{finding.file}, line'} {finding.line}: {finding.message}"
    if mine and cell and finding.line == 1:  # the file has the package clause and the imports there
        yield f"    %%go {cell.line}"
        return
    source = _source(module, finding)
    if source.strip():
        yield f"    {source.expandtabs(TAB)}"
    if source.strip() and finding.column:
        before = source.encode()[: finding.column - 1].decode(errors="replace")
        yield f"    {' ' * len(before.expandtabs(TAB))}^"


def _source(module: Module, finding: Finding) -> str:
    try:
        lines = (module.folder / finding.file).read_text().splitlines()
    except OSError:
        return ""
    return lines[finding.line - 1] if finding.line <= len(lines) else ""
