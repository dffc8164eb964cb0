"""Rows 10 and 11: how long a new user waits.  `.venv/bin/python -m bench.first_minutes [N]` writes first-minutes.json and prints a table.

Each trial begins with a clone of the last commit, an empty HOME, and empty caches of the kit, Go, pip and uv.  Row 10 ends when the address
that `./kit lab` prints answers, row 11 when `./kit run` prints its first verdict.  Then the command is ended, and its folder removed.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import requests

from kitlib import paths
from kitlib.claims import stamp
from kitlib.dev import cold
from kitlib.errors import CommandFailed
from kitlib.host import proc
from kitlib.host.console import say

RESULTS = Path(__file__).with_name("first-minutes.json")
TRIALS = 3
SECONDS = 600.0  # of a trial, at most
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S+")
VERDICT = re.compile(r"(holds|refuted|depends|not measurable) +\d")


def opened(line: str) -> bool:
    """Whether the line has JupyterLab's address; returns once it answers."""
    found = ADDRESS.search(line)
    if found:
        requests.get(found[0], timeout=60).raise_for_status()
    return found is not None


def judged(line: str) -> bool:
    """Whether the line is a verdict."""
    return VERDICT.match(line) is not None


ROWS: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "10": ("lab", "JupyterLab is open", opened),
    "11": ("run", "the first verdict is printed", judged),
}


class _Done(Exception):
    """What a trial waits for has been seen."""


def trial(word: str, done: Callable[[str], bool]) -> float:
    """Seconds from `./kit WORD` until a line for which `done` holds.  Raises CommandFailed when the command ends without it."""
    folder = Path(mkdtemp(prefix="kit-first-"))
    proc.run(["git", "clone", "--quiet", paths.ROOT, folder / "kit"])
    environment = {**cold.new_user(folder), "CI": "1"}  # no window is opened
    began = time.monotonic()

    def look(line: str) -> None:
        if done(line):
            raise _Done

    try:
        proc.run(["./kit", word], cwd=folder / "kit", env=environment, on_line=look, timeout=SECONDS, group=True)
    except _Done:
        return time.monotonic() - began
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise CommandFailed(f"./kit {word}", 0, "it ended, and nothing was seen")


def main(n: int) -> None:
    """Run n trials of each row, in turns, then write and print them."""
    seconds: dict[str, list[float]] = {row: [] for row in ROWS}
    for number in range(n):
        for row, (word, until, done) in ROWS.items():
            seconds[row].append(round(trial(word, done), 1))
            say(f"{number + 1} of {n}: {until} {seconds[row][-1]} s after ./kit {word}")
    RESULTS.write_text(json.dumps({"seconds": seconds, "environment": stamp.environment()}, indent=1) + "\n")
    for row, (word, until, _) in ROWS.items():
        low, median, high = np.percentile(seconds[row], [25, 50, 75])
        print(f"| {row} | `./kit {word}` → {until} | {median:.0f} s ± {high - low:.0f} s | {n} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS)
