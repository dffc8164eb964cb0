"""Do Go's tools do what the guide claims?  Each is tried on an input made for it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.golang import findings, profile
from kitlib.host import proc, tools
from kitlib.measure.golang.gobinary import ENV, FOLDER

SEEDED = "testdata/seeded/seeded.go"
UNITS = dict.fromkeys(("first_seconds", "again_seconds"), "s")
_MARK = re.compile(r"// (vet|other): (.+)$")


def seeded() -> pd.DataFrame:
    """The mistakes planted in a file that compiles: line, mistake, whether vet has a check for it, and what vet says."""
    told = proc.transcript(
        [tools.go(), "vet", f"./{Path(SEEDED).parent}"], cwd=FOLDER, env=_env(), check=False, group=True
    )
    said = {f.line: f.message for f in findings.parse(told)}
    rows = []
    for number, line in enumerate((FOLDER / SEEDED).read_text().splitlines(), 1):
        if mark := _MARK.search(line):
            rows.append((number, mark[2], mark[1] == "vet", said.get(number, "")))
    return pd.DataFrame(rows, columns=["line", "mistake", "has a check", "vet says"])


@takes(tool=lambda: TOOLS)
def shown(tool: str) -> float:
    """1 where the tool (vet, fmt, test or run) did on this machine what the guide claims, else 0."""
    return float(_SHOWN[tool]())


@takes(UNITS, way=("go run", "go build"))
def time_runs(way: str) -> dict[str, float]:
    """`first_seconds`: from source to the end of a small program, with nothing compiled before; `again_seconds`: a second time.

    way: "go run", or "go build" and starting what it built, which the second time is all there is to do.
    """
    with TemporaryDirectory() as folder:
        program, cache = Path(folder) / "bare", {"GOCACHE": str(Path(folder) / "cache")}

        def run() -> None:
            if way == "go run":
                _go("run", "./bare", env=cache)
                return
            if not program.exists():
                _go("build", "-o", str(program), "./bare", env=cache)
            proc.run([program], group=True)

        return {"first_seconds": _timed(run), "again_seconds": _timed(run)}


def _vet() -> bool:
    """Every planted mistake that vet has a check for is reported, at its line."""
    table = seeded()
    return bool((table.loc[table["has a check"], "vet says"] != "").all())


def _fmt() -> bool:
    """A file with its layout spoiled is named, and written back to the byte."""
    gofmt, tidy = tools.goroot() / "bin" / "gofmt", (FOLDER / "hot" / "hot.go").read_text()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hot.go"
        file.write_text(re.sub(r"^\t+", "  ", tidy, flags=re.MULTILINE))
        named = proc.run([gofmt, "-l", file], env=tools.go_env()).strip() == str(file)
        proc.run([gofmt, "-w", file], env=tools.go_env())
        return named and file.read_text() == tidy


def _test() -> bool:
    """A benchmark's CPU profile names the function that does the work, of the three there are."""
    with TemporaryDirectory() as folder:
        program, samples = Path(folder) / "hot.test", Path(folder) / "cpu"
        bench = ["-run=^$", "-bench=.", "-benchtime=0.5s"]
        _go("test", *bench, f"-cpuprofile={samples}", f"-o={program}", "./hot")
        names = profile.top(samples, program=program)["function"]
        return bool(names.iloc[0].endswith("hot.digits"))


def _run() -> bool:
    """What `go run` started was a compiled file somewhere else: a temporary one, or (since Go 1.24) one in Go's build cache."""
    before = set(FOLDER.rglob("*"))
    file = Path(_go("run", "./where", check=False).splitlines()[0])
    return file.is_absolute() and not file.is_relative_to(FOLDER) and set(FOLDER.rglob("*")) == before


_SHOWN: dict[str, Callable[[], bool]] = {"vet": _vet, "fmt": _fmt, "test": _test, "run": _run}
TOOLS: tuple[str, ...] = tuple(_SHOWN)


def _go(*words: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
    return proc.run([tools.go(), *words], cwd=FOLDER, env={**_env(), **(env or {})}, check=check, group=True)


def _env() -> dict[str, str]:
    return {**tools.go_env(), **ENV}


def _timed(call: Callable[[], None]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began
