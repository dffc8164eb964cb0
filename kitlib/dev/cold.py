"""`./kit test --cold`: run the README's commands as on a new machine, and write a page with their minutes and failures.

A clone of the last commit gets an empty HOME and empty caches of the kit, Go, pip and uv.  An engine that the kit started is stopped
meanwhile, and one with an empty data folder takes its place; any other engine keeps its images, as they are not the kit's to remove.
Debian packages that are installed stay installed.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from kitlib import paths
from kitlib.claims import stamp
from kitlib.dev import testing
from kitlib.engine import client as engines
from kitlib.engine import daemon
from kitlib.errors import CommandFailed, UsageError
from kitlib.host import console, environment, proc

PAGE = paths.ROOT / "docs" / "fresh-machine.md"
SPACE = 60 * 2**30  # bytes: caches, engine and results of a whole run
COMMANDS = (("--help",), ("run", "-o", "../report"), ("test",))
NEWLINE = "\n"  # Python 3.11 has no backslash in an f-string
SHOWN = 10.0  # seconds from which a step is a row of the page


@dataclass(frozen=True)
class Command:
    """One command of the README as it went: its words, seconds, exit code."""

    words: tuple[str, ...]
    seconds: float
    code: int


@dataclass(frozen=True)
class Step:
    """One line of progress: what was done, when it began (seconds since the epoch), its seconds, and whether it ended well."""

    what: str
    at: float
    seconds: float
    ok: bool


def test() -> int:
    """Run COMMANDS as on a new machine and write docs/fresh-machine.md; 1 when one of them failed.

    Raises UsageError, before anything is done, when there are uncommitted changes, not enough room, or containers on
    the kit's own engine, which has to stop.
    """
    _refuse()
    folder = Path(mkdtemp(prefix="kit-cold-"))
    console.say(f"as on a new machine, in {folder}; this takes two hours")
    told = f"{_machine()} {_empty_engine()}"
    commands = _commands(folder)
    PAGE.write_text(render(commands, _steps(folder / "steps.jsonl"), _failures(folder), told=told))
    _down(folder)
    failed = any(command.code for command in commands)
    if failed:
        console.say(f"what it left stays in {folder}")
    else:
        shutil.rmtree(folder)
    console.say(f"{'✗' if failed else '✓'} cold: {PAGE.relative_to(paths.ROOT)}")
    return int(failed)


def render(commands: Sequence[Command], steps: Sequence[Step], failures: Sequence[str], *, told: str) -> str:
    """The page, in Markdown: minutes per command and per step of at least SHOWN seconds, and each failure."""
    rows = [f"| `./kit {' '.join(c.words)}` | {c.seconds / 60:.1f} | {c.code} |" for c in commands]
    long = [step for step in steps if step.seconds >= SHOWN]
    began = min((step.at for step in steps), default=0.0)
    parts = [
        f"| {(s.at - began) / 60:.1f} | {s.what} | {s.seconds / 60:.1f} |{'' if s.ok else ' failed'} |" for s in long
    ]
    return "\n".join(
        [
            "# On a new machine",
            "",
            f"`./kit test --cold`, {datetime.now(UTC):%Y-%m-%d}. {told}",
            "",
            "<!-- vale off -->",
            "",
            *("| command | minutes | exit code |", "|---|---|---|", *rows),
            "",
            "## What failed",
            "",
            *([f"- {line}" for line in failures] or ["Nothing."]),
            "",
            f"## Steps of at least {SHOWN:.0f} s",
            "",
            "A step can be a part of the one around it, and the two lanes of `./kit test` run side by side: the minutes do not add up.",
            "",
            *("| begins at minute | step | minutes | |", "|---|---|---|---|", *parts),
            "",
        ]
    )


def _refuse() -> None:
    if changed := proc.run(["git", "status", "--porcelain"], cwd=paths.ROOT).strip():
        raise UsageError(
            "a new machine would not have your uncommitted changes",
            observed=changed.splitlines()[:5],
            hint="git commit, or git stash; then ./kit test --cold",
        )
    free = shutil.disk_usage(gettempdir()).free
    if free < SPACE:
        raise UsageError(
            f"{free / 2**30:.0f} GiB are free for temporary files, and a run takes up to {SPACE / 2**30:.0f}",
            hint="TMPDIR=/somewhere/else ./kit test --cold",
        )
    running = engines.connect()
    if running and running.ours and (there := running.client.containers.list(all=True)):
        raise UsageError(
            f"the kit's engine has {len(there)} containers, and has to stop meanwhile",
            hint="./kit down in each checkout",
        )


def _empty_engine() -> str:
    """Stop the kit's own engine, so that one with an empty data folder can start; returns the page's sentence about it."""
    running = engines.connect()
    if running and not running.ours:
        return "The engine had been running before, and kept its images and its build cache."
    daemon.stop()
    return "Empty: HOME, the caches of the kit, Go, pip and uv, and the engine."


def _machine() -> str:
    """The page's sentence about the commit and the machine."""
    env = stamp.environment()
    return f"Commit `{env.get('kit_commit', 'unknown')}`; {env['os']}, {env['cores']} cores, {env['memory_gib']} GiB."


def _commands(folder: Path) -> list[Command]:
    proc.run(["git", "clone", "--quiet", paths.ROOT, folder / "kit"])
    return [_command(folder, words) for words in COMMANDS]


def _command(folder: Path, words: tuple[str, ...]) -> Command:
    began, code = time.monotonic(), 0
    with (folder / "log").open("a") as log:

        def show(line: str) -> None:
            print(line, flush=True)
            print(line, file=log, flush=True)

        try:
            # no group of its own: when this is stopped, the command has as long as it needs to remove its clusters
            proc.run(["./kit", *words], cwd=folder / "kit", env=new_user(folder), on_line=show)
        except CommandFailed as e:
            code = e.returncode
    return Command(words, time.monotonic() - began, code)


def new_user(folder: Path) -> Mapping[str, str]:
    """A new user's environment: no setting of XDG, pip, uv or the kit leads to a cache that is not empty."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    unset = ("XDG_CACHE_HOME", "KIT_HOME", "KIT_CACHE", "KIT_RESULTS", "KIT_WORK", "KIT_PROFILE")
    return {
        **environment.kit(),
        **dict.fromkeys(unset, ""),
        "HOME": str(home),
        "PIP_CACHE_DIR": str(home / ".cache" / "pip"),
        "UV_CACHE_DIR": str(home / ".cache" / "uv"),
        "KIT_CLUSTER": "kit-cold",
        "KIT_ENGINE_DATA": str(folder / "engine"),
        "KIT_STEPS": str(folder / "steps.jsonl"),
    }


def _down(folder: Path) -> None:
    """Remove the cluster, and end the engine whose data is in the folder: as long as it runs, its folder cannot be removed."""
    proc.transcript(["./kit", "down"], cwd=folder / "kit", env=new_user(folder), check=False)
    running = engines.connect()
    if running and running.ours:
        daemon.stop(folder / "engine")


def _steps(file: Path) -> list[Step]:
    return [Step(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def _failures(folder: Path) -> list[str]:
    """Of the run's chapters and claims, and of each stage of the tests, from their JUnit files."""
    files = [folder / "report" / "junit.xml", *sorted((folder / "kit" / ".kit" / "tests").glob("*.xml"))]
    return [
        f"{file.stem}: {test.classname} {test.name}: {str(failure.message).partition(NEWLINE)[0]}"
        for file in files
        for test, failure in testing.failures(file)
    ]
