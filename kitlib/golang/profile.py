"""Where the time went: the output of `go tool pprof -top`, as a table and as bars."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from kitlib.host import proc, tools
from kitlib.host.stats import quantity
from kitlib.views.plots.base import PALETTE, STYLE, WIDTH, Plot, svg

COLUMNS = ["function", "self", "total"]
_ROW = re.compile(r"\s*(-?[\d.]+)(?:ms)?\s+[\d.]+%\s+[\d.]+%\s+(-?[\d.]+)(?:ms)?\s+[\d.]+%\s+(.+)")


def top(profile: Path, *, program: Path | None = None, rows: int = 10) -> pd.DataFrame:
    """The functions with the most time of their own, in ms: `self` without, `total` with what they call.

    program: the binary that was profiled; profiles that the runtime itself writes name their functions without it.
    """
    argv: list[str | Path] = [tools.go(), "tool", "pprof", "-top", "-unit=ms", f"-nodecount={rows}"]
    return parse(proc.run([*argv, *([program] if program else []), profile], env=tools.go_env(), group=True))


def parse(text: str) -> pd.DataFrame:
    """The table in the output of `go tool pprof -top -unit=ms`; no rows where the profile has no samples."""
    found = [match for line in text.splitlines() if (match := _ROW.fullmatch(line))]
    rows = [(match[3].removesuffix(" (inline)"), float(match[1]), float(match[2])) for match in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def draw(table: pd.DataFrame, title: str) -> Plot:
    """The table as bars, the longest on top: dark a function's own time, light the time of what it calls."""
    words = "; ".join(f"{row.function} {quantity(row.self, 'ms')}" for row in table.itertuples())
    alt = f"{title} – functions by their own time: {words}."
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.34 * len(table) + 0.9), layout="constrained")
        axes = figure.subplots()
        axes.barh(table["function"], table["total"], color=PALETTE[0], alpha=0.3, label="with what it calls")
        axes.barh(table["function"], table["self"], color=PALETTE[0], label="its own time")
        axes.invert_yaxis()
        axes.set_xlabel("CPU time (ms)")
        axes.legend(loc="lower right", fontsize=9)
        return Plot(title, svg(figure, alt), alt, table)
