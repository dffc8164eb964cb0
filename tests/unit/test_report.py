"""The report is one page that says everything, loads nothing and lets nothing through that is not ours."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from junitparser import JUnitXml

from kitlib import claims, junit, nbpage, report
from kitlib.chapters import Chapter
from kitlib.executed import CellRun, ChapterRun, Failure, Run
from kitlib.verdict import Verdict, not_measurable

new: Any = nbformat.v4
ENVIRONMENT = {
    "os": "Example OS",
    "memory_gib": 7.5,
    "engine": {"version": "29.0", "storage_driver": "overlay2"},
    "bases": {
        "go": {"reference": "kit.local/go:1", "stands_for": "golang:1-bookworm"},
        "tools": {"reference": "busybox:1", "stands_for": None},
    },
}


def verdict(claim: str, word: Any = "holds", **changes: Any) -> Verdict:
    same = not_measurable(claims.claim(claim), "")
    facts: dict[str, Any] = {
        "n": 5,
        "median": 2.5e6,
        "iqr": 1e3,
        "unit": "B",
        "stamp": "0123456789ab",
        "profile": "quick",
    }
    return replace(
        same, verdict=word, expected=word, reading=f"Reading of {claim}.", environment=ENVIRONMENT, **(facts | changes)
    )


def chapter(name: str = "2.3-multi-stage", **changes: Any) -> ChapterRun:
    cells = (CellRun(1, "import kitlib as kit", 0.5, "completed"), CellRun(3, "kit.plot(a < b)", 2.0, "completed"))
    return ChapterRun(Chapter(name, Path(f"{name}.ipynb"), "Its <title>", ()), 100.0, cells, **changes)


def run(*, chapters: Any = (), verdicts: Any = (), failures: Any = ()) -> Run:
    return Run(
        "0a1b2c3d4e5f", "quick", "2026-03-04T10:22:31+00:00", 538.4, tuple(chapters), tuple(verdicts), tuple(failures)
    )


class Outline(HTMLParser):
    """Headings, elements that load or run something, and table headers without a scope."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.loads: list[str] = []
        self.bare: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.open.append(tag)
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))
        if tag in ("script", "link", "iframe", "object", "embed") and known.get("type") != "application/json":
            self.loads.append(tag)
        if (known.get("src") or "data:")[:5] != "data:":
            self.loads.append(str(known["src"]))
        if tag == "th" and "figure" not in self.open and "scope" not in known:
            self.bare.append(self.get_starttag_text() or "")


def test_the_page_has_headline_verdicts_times_failures_and_environment() -> None:
    """Counts, readings with n, median and IQR, each cell's time, what failed with the cluster's words, the stamp."""
    failure = Failure("3.2-x", "WaitTimeout", "not ready", cell=3, observed=("pod shop-1: Pending",), detail="Trace")
    verdicts = [verdict("2.2-size"), verdict("2.3-numbers", "refuted"), verdict("2.3-dynamic", "refuted")]

    html = report.render(run(chapters=[chapter()], verdicts=verdicts, failures=[failure]))

    counts = re.findall(r'<b class="([\w-]+)">(\d+)</b>', html)
    assert counts == [("holds", "1"), ("refuted", "2"), ("depends", "0"), ("not-measurable", "0")]
    told = [
        "Reading of 2.2-size.",
        "2.5 MB",
        "500 ms",
        "2.0 s",
        "8 min 58 s",
        "WaitTimeout",
        "pod shop-1: Pending",
        "Trace",
    ]
    told += ["Example OS", "version 29.0, storage driver overlay2", "busybox:1", "memory (GiB)"]
    assert [text for text in told if text not in html] == []


def test_a_stand_in_is_told_before_the_verdicts() -> None:
    """A figure on a stand-in is never read as a figure of the original."""
    html = report.render(run(chapters=[chapter()], verdicts=[verdict("2.2-size")]))

    assert 0 < html.index("kit.local/go:1 stands for golang:1-bookworm") < html.index('id="verdicts"')
    assert "Measured on stand-ins" not in report.render(
        run(verdicts=[replace(verdict("2.2-size"), environment={"os": "Example OS"})])
    )


@pytest.mark.parametrize(("claim", "word"), [("2.2-size", "differs"), ("2.3-startup", "drift")])
def test_an_unexpected_verdict_is_marked(claim: str, word: str) -> None:
    """It differs for a deterministic claim, and is drift for a timing claim."""
    html = report.render(run(verdicts=[replace(verdict(claim), expected="depends")]))

    assert f'<span class="drift">depends: {word}</span>' in html


def test_environments_that_differ_are_both_shown() -> None:
    """Two stamps with different cores give both values, and what is equal once."""
    other = replace(verdict("2.3-numbers"), environment={"os": "Example OS", "memory_gib": 15.0})

    html = report.render(run(verdicts=[verdict("2.2-size"), other]))

    assert "<td>7.5 / 15.0</td>" in html
    assert "<td>Example OS</td>" in html


def test_text_is_escaped_and_plots_are_not() -> None:
    """Titles, labels and messages cannot bring markup; the figure that the kit drew is markup."""
    figure = "<figure><svg></svg></figure>"
    failure = Failure("x", "E", "<script>alert(1)</script>", detail="<b>bold</b>")

    html = report.render(run(chapters=[chapter(figures=(figure,))], failures=[failure]))

    assert figure in html
    assert "<script>" not in html
    assert "<b>bold" not in html
    assert "Its &lt;title&gt;" in html
    assert "kit.plot(a &lt; b)" in html


def test_the_page_is_accessible_and_loads_nothing() -> None:
    """Language, viewport, headings without a gap, captions and scopes; no script, style sheet, font or picture from elsewhere."""
    failure = Failure("x", "E", "message")
    html = report.render(
        run(chapters=[chapter(figures=("<figure></figure>",))], verdicts=[verdict("2.2-size")], failures=[failure])
    )
    outline = Outline(html)

    assert '<html lang="en">' in html
    assert "width=device-width" in html
    assert "prefers-color-scheme: dark" in html
    assert outline.levels[0] == 1
    assert all(next_ - level <= 1 for level, next_ in zip(outline.levels, outline.levels[1:], strict=False))
    assert html.count("<table") == html.count("<caption>")
    assert (outline.loads, outline.bare) == ([], [])
    assert "default-src &#39;none&#39;" in html
    assert re.findall(r"https?://", html) == []


def test_an_empty_run_has_a_page() -> None:
    """No chapter with a claim: the page says so."""
    html = report.render(run(chapters=[chapter("0-start")]))

    assert "measure no claim" in html


def test_a_notebooks_page_loads_nothing_and_shows_no_widget() -> None:
    """The page of a notebook with mathematics, a remote picture and a widget has no script and forbids the picture."""
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "instead of the widget"}
    only = {"application/vnd.jupyter.widget-view+json": {"model_id": "y"}}
    cell = new.new_code_cell(
        "1", outputs=[new.new_output("display_data", widget), new.new_output("display_data", only)]
    )
    prose = new.new_markdown_cell("# Title\n$x^2$ ![remote](https://example.org/picture.png)")
    nb = new.new_notebook(cells=[prose, cell], metadata={"widgets": {"a": {"state": {}}}})

    html = nbpage.page(nb, "Its title")

    assert [load for load in Outline(html).loads if not load.endswith("picture.png")] == []
    assert "instead of the widget" in html
    assert "<title>Its title</title>" in html
    assert "img-src data:" in html
    assert "prefers-color-scheme: dark" in html
    assert "widgets" in nb.metadata  # the notebook itself is left as it was


def test_junit_survives_what_xml_cannot_hold() -> None:
    """Control characters in a message are dropped, and a chapter that has no failing cell gets a case of its own."""
    failure = Failure("2.3-multi-stage", "DeadKernelError", "died \x1b[31mred\x00", detail="a\x08b")

    document = JUnitXml.fromstring(junit.xml(run(chapters=[chapter(failure=failure)], failures=[failure])).decode())

    (suite, _) = document
    first = next(iter(suite))
    assert (first.name, first.result[0].message) == ("notebook", "DeadKernelError: died [31mred")


def test_a_report_never_leaves_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After writing, the folder holds the report's files under their names only."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "rows"))
    (tmp_path / "out").mkdir()
    report.write(run(chapters=[chapter()], verdicts=[verdict("2.2-size")]), tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "index.html",
        "junit.xml",
        "results.json",
        "summary.md",
    ]


def test_the_summary_is_a_table_that_markdown_can_show() -> None:
    """One row a verdict, with its figures, its reason and its stamp; a bar in a reading does not split a cell."""
    split = replace(verdict("2.3-numbers", "depends"), reading="a | b.", reason="fits: a")
    lines = report.summary(run(verdicts=[verdict("2.2-size"), split])).splitlines()

    assert "| 2.2-size | **holds** | 5 | 2.5 MB | 0.001 MB | Reading of 2.2-size. |" in lines
    assert "a / b. (fits: a) |" in lines[3]
    assert {line.count("|") for line in lines[:4]} == {7}
    assert lines[-1] == "Profile quick, stamp `0123456789ab`."
