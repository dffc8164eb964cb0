"""The bench's results as a Markdown table, and that table inside a README."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kitlib.errors import UsageError
from kitlib.host import stats, textfile

BEGIN = "<!-- table: written by ./kit bench -->"
END = "<!-- end of the table -->"
SPREAD = "Medians ± interquartile range; ratio with its 95 % bootstrap interval."
HEAD = "| # | what | against | kit | peer | ratio | at most | n |\n|---|---|---|---|---|---|---|---|"


def markdown(results: Mapping[str, Any]) -> str:
    """One line per row in the order of their ids, then the remarks about them and where they were measured."""
    rows = sorted(results["rows"].values(), key=lambda r: r["id"])
    lines = [HEAD, *(_line(r) for r in rows)]
    notes = dict.fromkeys(r["notes"] for r in rows if r["notes"])
    lines += ["", *(f"- {note}" for note in notes)] if notes else []
    lines += ["", *(f"{place(e)}  {SPREAD}" for e in results["environments"].values())]
    return "\n".join(lines)


def into(file: Path, results: Mapping[str, Any]) -> None:
    """Replace what is between the markers of a README.  Raises UsageError when it has none."""
    page = textfile.between(file.read_text(), BEGIN, END, markdown(results))
    if page is None:
        raise UsageError(f"{file} has no place for the table", hint=f"it goes between {BEGIN} and {END}")
    file.write_text(page)


def _line(r: Mapping[str, Any]) -> str:
    ours, peer = (_side(r[side], r["unit"]) for side in ("ours", "peer"))
    span = f" ({r['interval'][0]:.2f}–{r['interval'][1]:.2f})" if r["interval"] else ""
    mark = "" if r["met"] else " **missed**"
    cells = [r["id"], r["what"], r["against"], ours, peer, f"{r['ratio']:.2f}{span}{mark}", f"{r['bar']:g}", r["n"]]
    return f"| {' | '.join(str(c) for c in cells)} |"


def _side(side: Mapping[str, Any], unit: str) -> str:
    """Median ± IQR: `0.42 s ± 0.03`, and the arm's name when there were several."""
    spread = f" ± {stats.quantity(side['iqr'], unit)}" if side["iqr"] else ""
    return f"{stats.quantity(side['median'], unit)}{spread}"


def place(environment: Mapping[str, Any]) -> str:
    """Where something was measured: one sentence of a stamp's environment."""
    engine, cluster = environment.get("engine", {}), environment.get("kubernetes", {})
    parts = [
        environment.get("cpu"),
        f"{environment.get('cores')} cores",
        f"{environment.get('memory_gib')} GiB",
        environment.get("os"),
        f"Docker {engine.get('version')} ({engine.get('storage_driver')})" if engine else None,
        f"Kubernetes {cluster.get('version')}" if cluster else None,
        f"kit {environment.get('kit_commit', environment.get('kit_version'))}",
    ]
    return f"Measured on: {', '.join(p for p in parts if p)}."
