"""One counter, many goroutines: by a channel, a mutex, an atomic."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.errors import KitError
from kitlib.golang import profile
from kitlib.measure.golang.gobinary import answer

WAYS = ("channel", "buffered", "mutex", "atomic")
UNITS = {"waited": "s"}


@takes(UNITS, way=WAYS)
def rate(way: str, goroutines: int, work_us: float, *, milliseconds: int = 100) -> dict[str, float]:
    """`rate`: millions of additions per second, by all together; `waited`: seconds per second that goroutines waited for locks.

    work_us: what each does on its own before it adds, in µs of an idle core.  Raises KitError when a count is lost.
    """
    found = answer("counter", *_words(way, goroutines, work_us, milliseconds))
    if found["counted"] != found["operations"]:
        raise KitError(f"{way}: {found['operations']} additions, and a count of {found['counted']}")
    return {"rate": found["operations"] / found["seconds"] / 1e6, "waited": found["waited"] / found["seconds"]}


@takes(way=WAYS, kind=("mutex", "block"))
def waits(way: str, kind: str, *, goroutines: int = 8, rows: int = 4, milliseconds: int = 150) -> pd.DataFrame:
    """Where goroutines wait, as the runtime's own profile has it: kind "mutex" is waiting for locks, "block" any waiting."""
    with TemporaryDirectory() as folder:
        samples = Path(folder) / kind
        answer("counter", *_words(way, goroutines, 0, milliseconds), "-profile", kind, "-to", samples)
        table = profile.top(samples, rows=rows)
    return table.rename(columns={"self": "waits (ms)"})[["function", "waits (ms)"]]


def _words(way: str, goroutines: int, work_us: float, milliseconds: int) -> list[str | Path]:
    span = ["-work", f"{work_us}us", "-span", f"{milliseconds}ms"]
    return ["-way", way, "-goroutines", str(goroutines), *span]
