"""`./kit results`: the published tables, figures and pictures, made from the kept rows (reference.py).

A page of the documentation has a part between two markers, `<!-- rows: NAME -->` and `<!-- /rows -->`; PARTS says what each
name writes.  PICTURES are files of docs/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kitlib import paths
from kitlib.claims.register import Claim
from kitlib.claims.stamp import stand_ins
from kitlib.claims.verdict import Verdict
from kitlib.dev.benchtable import place
from kitlib.dev.reference import Reference
from kitlib.errors import InputError, meant
from kitlib.gameday.faults import named
from kitlib.host import textfile
from kitlib.host.console import say
from kitlib.host.stats import quantity
from kitlib.measure.signals import gameday
from kitlib.measure.workloads import rollouts
from kitlib.runner import report
from kitlib.views.plots import plot

PAGES = ("README.md", "docs/results.md", "docs/gameday.md")
MARKED = re.compile(r"(<!-- rows: ([\w-]+) -->)(.*?)(<!-- /rows -->)", re.DOTALL)
THREE = ("2.2-size", "2.3-startup", "3.2-rolling")  # results on the first page


def run(*, keep: Path | None = None, check: bool = False, reference: Reference | None = None) -> int:
    """Write pages and pictures; returns an exit code.  keep: a report whose rows are kept first.  check: write nothing, and compare."""
    of = reference or Reference()
    if keep:
        say(f"kept: {', '.join(of.keep(keep))}")
    made = {**dict(pages(of)), **dict(pictures(of))}
    stale = [file for file, text in made.items() if not file.exists() or not alike(textfile.read(file), text)]
    for file in stale:
        say(f"{'differs from the kept rows' if check else 'written'}: {textfile.shown(file)}")
        if not check:
            file.write_text(made[file], encoding="utf-8")
    if check and stale:
        say("next: ./kit results")
    return int(check and bool(stale))


def pages(of: Reference, root: Path = paths.ROOT) -> Iterator[tuple[Path, str]]:
    """Each page with the text that it should have."""
    for name in PAGES:
        yield root / name, filled(textfile.read(root / name), of)


def pictures(of: Reference, root: Path = paths.ROOT) -> Iterator[tuple[Path, str]]:
    """Each picture with the SVG that it should have."""
    for name, draw in PICTURES.items():
        yield root / "docs" / name, _file(draw(of)) + "\n"


def _file(svg: str) -> str:
    """A drawing as a file of its own: within a page it needs no namespace, and a file without one is no picture."""
    return svg if "xmlns=" in svg else svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def filled(text: str, of: Reference) -> str:
    """A page's text with new parts.  Raises InputError for a name that is not in PARTS."""

    def made(found: re.Match[str]) -> str:
        begin, name, _, end = found.groups()
        if name not in PARTS:
            raise InputError(f"no part is called {name!r}", hint=meant(name, PARTS))
        part = PARTS[name](of)
        return f"{begin}\n\n{part}\n\n{end}" if "\n" in part else f"{begin}{part}{end}"

    return MARKED.sub(made, text)


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same, but for the last digits of coordinates and the ids that are computed from them.

    Another processor draws a picture with other last digits.
    """
    number = r"-?\d+\.\d+"
    one, other = (re.sub(r"\b[pm][0-9a-f]{8,10}\b", "", text) for text in (one, other))
    pairs = zip(re.findall(number, one), re.findall(number, other), strict=False)
    return re.sub(number, "", one) == re.sub(number, "", other) and all(
        abs(float(a) - float(b)) < 0.02 for a, b in pairs
    )


def _verdicts(of: Reference) -> str:
    return report.table(of.verdict(claim.id) for claim in of.claims)


def _chapters(of: Reference) -> str:
    """One line per chapter: when its rows were measured, at which commit, for how long, and under which stamps."""
    lines = ["| chapter | date | commit | minutes | stamps |", "|---|---|---|---|---|"]
    for chapter in dict.fromkeys(claim.chapter for claim in of.claims):
        mine = [claim for claim in of.claims if claim.chapter == chapter]
        stamps = {stamp: env for claim in mine for stamp, env in of.environments(claim.id).items()}
        commits = dict.fromkeys(f"`{env['kit_commit']}`" for env in stamps.values() if "kit_commit" in env)
        cells = (chapter, _day(of, mine), ", ".join(commits), f"{of.minutes[chapter]:.1f}", _code(stamps))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _day(of: Reference, measured: list[Claim]) -> str:
    return max(str(runs["started_at"].max())[:10] for claim in measured if len(runs := of.runs(claim.id)))


def _code(words: Mapping[str, object]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _places(of: Reference) -> str:
    return "\n".join(dict.fromkeys(place(env) for claim in of.claims for env in of.environments(claim.id).values()))


def _three(of: Reference) -> str:
    lines = ["| the article says | verdict | measured |", "|---|---|---|"]
    return "\n".join([*lines, *(_result(of.verdict(claim)) for claim in THREE)])


def _result(verdict: Verdict) -> str:
    where = " This was measured on [stand-ins](docs/supplies.md)." if stand_ins(verdict.environment) else ""
    return f"| {verdict.says} | **{verdict.label}** | {verdict.reading}{where} |"


def _startup(of: Reference) -> str:
    return of.verdict("2.3-startup").reading


def _faults(of: Reference) -> str:
    """The game day's table: medians, and of the detection also the range."""
    runs = of.runs("4.5-detect")
    lines = [
        "| fault | its alert | alert delivered after | failed requests | service healthy after | alert ends after |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in gameday.medians(runs).iterrows():
        fault, seconds = named(str(name)), runs[(runs["fault"] == name) & (runs["metric"] == "detected")]["value"]
        span = f"{row['detected']:.1f} s ({seconds.min():.1f} to {seconds.max():.1f})"
        healthy = "at once" if row["well"] < 1 else quantity(row["well"], "s")
        cells = (fault.words, fault.alert, span, f"{row['failed']:.0f}", healthy, f"{row['resolved']:.0f} s")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _unnoticed(of: Reference) -> str:
    """How many faults made no request fail, by the median of their rounds."""
    failed = gameday.medians(of.runs("4.5-detect"))["failed"]
    return f"{int((failed == 0).sum())} of {len(failed)}"


PARTS: Mapping[str, Callable[[Reference], str]] = {
    "verdicts": _verdicts,
    "chapters": _chapters,
    "places": _places,
    "three": _three,
    "startup": _startup,
    "faults": _faults,
    "unnoticed": _unnoticed,
}
PICTURES: Mapping[str, Callable[[Reference], str]] = {
    "startup.svg": lambda of: plot(of.runs("2.3-startup")).svg,
    "rollouts.svg": lambda of: rollouts.picture(of.runs("3.2-rolling")).svg,
    "gameday.svg": lambda of: gameday.picture(of.runs("4.5-detect")).svg(),
}
