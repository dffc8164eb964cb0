"""The report of a run: index.html, the executed notebooks as pages, results.json, junit.xml, summary.md, and the rows behind them.

Each file is replaced as a whole.  index.html is one file that loads nothing; it works from a disk and on a phone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from kitlib import claims, executed, junit, nbpage, paths
from kitlib.executed import ChapterRun, Run
from kitlib.stamp import stand_ins
from kitlib.stats import quantity
from kitlib.verdict import WORDS, Verdict

SIGNS = {"holds": "✓", "refuted": "✗", "depends": "±", "not-measurable": "–"}


def write(run: Run, out: Path) -> None:
    """Write the whole report of a run into `out`, where its executed notebooks are."""
    pages = [_write_page(entry, out) for entry in run.chapters]
    _write(out / "results.json", json.dumps([v.as_dict() for v in run.verdicts], indent=1, ensure_ascii=False) + "\n")
    _write(out / "junit.xml", junit.xml(run))
    _write(out / "summary.md", summary(run))
    for verdict in run.verdicts:
        _copy_rows(verdict.claim, run.id, out / "results")
    _write(out / "index.html", render(run, dict(pages)))


def render(run: Run, pages: Mapping[str, str | None] | None = None) -> str:
    """index.html.  pages: for each chapter, the file name of its page, None where there is none."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    env = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    env.filters |= {"seconds": _seconds, "quantity": _quantity}
    stamps = [verdict.environment for verdict in run.verdicts if verdict.environment]
    return env.get_template("report.html.j2").render(
        run=run,
        policy=nbpage.POLICY,
        signs=SIGNS,
        counts={word: sum(v.verdict == word for v in run.verdicts) for word in WORDS},
        titles={claim.id: claim.title for claim in claims.register()},
        chapters=[_section(entry, (pages or {}).get(entry.chapter.name)) for entry in run.chapters],
        environment=_environment(stamps),
        stand_ins=list(dict.fromkeys(line for stamp in stamps for line in stand_ins(stamp))),
    )


def summary(run: Run) -> str:
    """The verdicts as a Markdown table: what a CI job shows of a run, and what the README has of the reference run."""
    lines = ["| claim | verdict | n | median | IQR | what was measured |", "|---|---|---|---|---|---|"]
    for v in run.verdicts:
        found = f"{v.reading} ({v.reason})" if v.reason not in v.reading else v.reading
        spread = f"{_quantity(v.median, v)} | {_quantity(v.iqr, v)}"
        lines.append(f"| {v.claim} | **{v.verdict}** | {v.n} | {spread} | {found.replace('|', '/')} |")
    stamps = ", ".join(f"`{stamp}`" for stamp in dict.fromkeys(v.stamp for v in run.verdicts if v.stamp))
    return "\n".join([*lines, "", f"Profile {run.profile}, stamp {stamps or 'none'}."]) + "\n"


@dataclass(frozen=True)
class _Section:
    """A chapter in index.html.  longest: the seconds that the widest bar stands for."""

    entry: ChapterRun
    page: str | None
    figures: list[Markup]
    longest: float


def _section(entry: ChapterRun, page: str | None) -> _Section:
    # Only what kitlib/plots drew passes unescaped, and the page's policy lets nothing in it run or load
    figures = [Markup(html) for html in entry.figures]  # noqa: S704
    return _Section(entry, page, figures, max((cell.seconds for cell in entry.cells), default=0.0) or 1.0)


def _write_page(entry: ChapterRun, out: Path) -> tuple[str, str | None]:
    if entry.notebook is None:
        return entry.chapter.name, None
    name = f"{entry.chapter.name}.html"
    _write(out / name, nbpage.page(executed.load(entry.notebook), entry.chapter.title))
    return entry.chapter.name, name


def _copy_rows(claim_id: str, run_id: str, folder: Path) -> None:
    """The lines of results/<claim>.jsonl that this run wrote, with the environments that they were measured in."""
    source = paths.results() / f"{claim_id}.jsonl"
    lines = list(_lines(source)) if source.exists() else []
    mine = [line for line in lines if line.get("run") == run_id]
    stamps = {line.get("stamp") for line in mine}
    places = {line["stamp"]: line for line in lines if line.get("kind") == "environment" and line["stamp"] in stamps}
    if mine:
        folder.mkdir(exist_ok=True)
        kept = [*places.values(), *mine]
        _write(folder / source.name, "".join(json.dumps(line) + "\n" for line in kept))


def _lines(source: Path) -> Iterable[dict[str, Any]]:
    for text in source.read_bytes().splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # cut off by a crash; kitlib/experiment.py tells of it
        yield line


def _environment(stamps: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(what, value) of all stamps; where they differ, every value."""
    found: dict[str, dict[str, None]] = {}
    for stamp in stamps:
        for key, value in stamp.items():
            if key == "bases":
                for name, base in value.items():
                    found.setdefault(f"base {name}", {})[_base(base)] = None
            else:
                found.setdefault(key.replace("_gib", " (GiB)").replace("_", " "), {})[_words(value)] = None
    return [(key, " / ".join(values)) for key, values in found.items()]


def _base(base: Mapping[str, Any]) -> str:
    return f"{base['reference']}, stands for {base['stands_for']}" if base.get("stands_for") else str(base["reference"])


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {_words(item)}" for key, item in value.items())
    return str(value)


def _quantity(value: float | None, verdict: Verdict) -> str:
    return "–" if value is None else quantity(value, verdict.unit)


def _seconds(value: float) -> str:
    if value >= 90:
        return f"{int(value + 0.5) // 60} min {int(value + 0.5) % 60:02} s"
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def _write(path: Path, content: str | bytes) -> None:
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
