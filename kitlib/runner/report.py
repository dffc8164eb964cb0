"""The report of a run: index.html, the executed notebooks as pages, results.json, junit.xml, summary.md, and the rows behind them.

Each file is replaced as a whole.  index.html is one file that loads nothing; it works from a disk and on a phone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from kitlib.claims import register as claims
from kitlib.claims import rows
from kitlib.claims.stamp import stand_ins
from kitlib.claims.verdict import LABELS, SIGNS, Verdict, sample_in_words
from kitlib.host import textfile
from kitlib.host.stats import Sample, quantity
from kitlib.runner import executed_notebook, junit, notebook_page
from kitlib.runner.executed_notebook import ChapterRun, Run


def write(run: Run, out: Path) -> list[OSError]:
    """Write the whole report of a run into `out`, where its executed notebooks are; returns which files could not be written, and why."""
    errors: list[OSError] = []

    def put(step: Callable[[], None]) -> bool:
        try:
            step()
        except OSError as error:
            errors.append(error)
            return False
        return True

    entries = json.dumps([v.as_dict() for v in run.verdicts], indent=1, ensure_ascii=False) + "\n"
    put(
        lambda: textfile.put(out / "junit.xml", junit.xml(run))
    )  # files that a CI job reads come first, in case there is no room for all
    put(lambda: textfile.put(out / "results.json", entries))
    put(lambda: textfile.put(out / "summary.md", summary(run)))
    pages: dict[str, str | None] = {}
    for entry in run.chapters:
        written = entry.notebook is not None and put(partial(_write_page, entry, out))
        pages[entry.chapter.name] = f"{entry.chapter.name}.html" if written else None
    for verdict in run.verdicts:
        put(partial(_copy_rows, verdict.claim, run.id, out / "results"))
    put(lambda: textfile.put(out / "index.html", render(run, pages)))
    return errors


def render(run: Run, pages: Mapping[str, str | None] | None = None) -> str:
    """index.html.  pages: for each chapter, the file name of its page, None where there is none."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    env = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    env.filters |= {"seconds": _seconds, "in_words": sample_in_words}
    stamps = [verdict.environment for verdict in run.verdicts if verdict.environment]
    return env.get_template("report.html.j2").render(
        run=run,
        policy=notebook_page.POLICY,
        signs=SIGNS,
        labels=LABELS,
        counts={word: sum(v.verdict == word for v in run.verdicts) for word in LABELS},
        titles={claim.id: claim.title for claim in claims.register()},
        errata=claims.errata() if run.verdicts else (),
        measured={verdict.claim for verdict in run.verdicts if verdict.n},
        unexpected=sum(verdict.drift for verdict in run.verdicts),
        chapters=[_section(entry, (pages or {}).get(entry.chapter.name)) for entry in run.chapters],
        environment=_environment(stamps),
        stand_ins=list(dict.fromkeys(line for stamp in stamps for line in stand_ins(stamp))),
    )


def summary(run: Run) -> str:
    """The verdicts as a Markdown table, and n, median and IQR of each treatment where there are several.

    A CI job shows it of its run, and docs/results.md has the first table of the reference run.
    """
    stamps = ", ".join(f"`{stamp}`" for stamp in dict.fromkeys(v.stamp for v in run.verdicts if v.stamp))
    return (
        "\n".join([table(run.verdicts), *_treatments(run), "", f"Profile {run.profile}, stamp {stamps or 'none'}."])
        + "\n"
    )


def table(verdicts: Iterable[Verdict]) -> str:
    """Verdicts as a Markdown table; of yes and no, and of treatments that differ in kind, there is neither median nor IQR."""
    lines = ["| claim | verdict | n | median | IQR | what was measured |", "|---|---|---|---|---|---|"]
    for v in verdicts:
        spread = f"{_quantity(v.median, v)} | {_quantity(v.iqr, v)}"
        lines.append(f"| {v.claim} | **{v.label}** | {v.n} | {spread} | {v.told.replace('|', '/')} |")
    return "\n".join(lines)


def _treatments(run: Run) -> list[str]:
    several = [(v.claim, sample) for v in run.verdicts if len(v.treatments) > 1 for sample in v.treatments]
    rows = [f"| {claim} | {s.treatment.replace('|', '/')} | {s.n} | {_middle(s)} |" for claim, s in several]
    return ["", "| claim | treatment | n | median | IQR |", "|---|---|---|---|---|", *rows] if rows else []


def _middle(sample: Sample) -> str:
    """Median and IQR as two cells; of yes and no, how many were yes, and no spread."""
    if sample.yes is not None:
        return f"yes in {sample.yes} of {sample.n} | –"
    return f"{quantity(sample.median, sample.unit)} | {quantity(sample.iqr, sample.unit)}"


@dataclass(frozen=True)
class _Section:
    """A chapter in index.html.  longest: the seconds that the widest bar stands for."""

    entry: ChapterRun
    page: str | None
    figures: list[Markup]
    longest: float


def _section(entry: ChapterRun, page: str | None) -> _Section:
    # Only what the kit drew (kitlib/views) passes unescaped, and the page's policy lets nothing in it run or load
    figures = [Markup(html) for html in entry.figures]  # noqa: S704
    return _Section(entry, page, figures, max((cell.seconds for cell in entry.cells), default=0.0) or 1.0)


def _write_page(entry: ChapterRun, out: Path) -> None:
    if entry.notebook is not None:
        textfile.put(
            out / f"{entry.chapter.name}.html",
            notebook_page.page(executed_notebook.load(entry.notebook), entry.chapter.title),
        )


def _copy_rows(claim_id: str, run_id: str, folder: Path) -> None:
    """The lines of results/<claim>.jsonl that this run wrote, with the environments that they were measured in."""
    lines = list(rows.lines(claim_id))
    mine = [line for line in lines if line.get("run") == run_id]
    stamps = {line.get("stamp") for line in mine}
    places = {line["stamp"]: line for line in lines if line.get("kind") == "environment" and line["stamp"] in stamps}
    if mine:
        folder.mkdir(exist_ok=True)
        kept = [*places.values(), *mine]
        textfile.put(folder / f"{claim_id}.jsonl", "".join(json.dumps(line) + "\n" for line in kept))


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
