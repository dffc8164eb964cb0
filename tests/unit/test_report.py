"""The report is one page that says everything, loads nothing and lets nothing through that is not ours."""

from __future__ import annotations

import errno
import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from junitparser import JUnitXml

from kitlib.claims import register as claims
from kitlib.claims.verdict import Condition, Predicted, Verdict, unmeasurable, without
from kitlib.host.stats import Sample
from kitlib.runner import junit, notebook_page, report
from kitlib.runner.chapters import Chapter
from kitlib.runner.executed_notebook import CellRun, ChapterRun, Failure, Run

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
    same = unmeasurable(claims.claim(claim), "")
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
    assert counts == [("holds", "1"), ("refuted", "2"), ("depends", "0"), ("not-measurable", "0"), ("none", "0")]
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

    html = notebook_page.page(nb, "Its title")

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
    """One row per verdict, with its figures, its reading and its stamp; a bar in a reading does not split a cell."""
    split = replace(verdict("2.3-numbers", "depends"), reading="a | b.", reason="fits: a")
    lines = report.summary(run(verdicts=[verdict("2.2-size"), split])).splitlines()

    assert "| 2.2-size | **holds** | 5 | 2.5 MB | 1 kB | Reading of 2.2-size. |" in lines
    assert "| a / b. |" in lines[3]
    assert {line.count("|") for line in lines[:4]} == {7}
    assert lines[-1] == "Profile quick, stamp `0123456789ab`."


def test_unlike_treatments_have_a_row_each_and_no_common_median() -> None:
    """Page, summary and results.json give n, median and IQR of each treatment; a dash stands where no single median can."""
    each = (Sample("on", 3, 12.0, 1.5, "s"), Sample("off | quick", 3, 0.5, 0.25, "s"))
    told = verdict("2.2-static", median=None, iqr=None, unit="s", treatments=each, own=("at most 2",))
    html, lines = report.render(run(verdicts=[told])), report.summary(run(verdicts=[told])).splitlines()

    assert "n = 3 · median 12 s · IQR 1.5 s" in html
    assert "| 2.2-static | **holds** | 5 | – | – | Reading of 2.2-static. |" in lines
    assert lines[4:8] == [
        "| claim | treatment | n | median | IQR |",
        "|---|---|---|---|---|",
        "| 2.2-static | on | 3 | 12 s | 1.5 s |",
        "| 2.2-static | off / quick | 3 | 0.5 s | 0.25 s |",
    ]
    assert told.as_dict()["treatments"][0] == asdict(each[0])
    assert told.as_dict()["own_thresholds"] == ["at most 2"]
    outline = Outline(html)
    assert html.count("<table") == html.count("<caption>")
    assert outline.bare == []


def test_yes_and_no_are_counted_in_the_summary() -> None:
    """A treatment of a 0/1 unit has no median: it says how many runs were yes."""
    each = (Sample("on", 3, 1.0, 0.0, "0/1", 3), Sample("off", 3, 0.0, 0.5, "0/1", 1))
    told = verdict("2.2-static", median=None, iqr=None, unit="0/1", treatments=each)

    assert "| 2.2-static | off | 3 | yes in 1 of 3 | – |" in report.summary(run(verdicts=[told]))
    assert "yes in 1 of 3 runs" in report.render(run(verdicts=[told]))


def _full() -> str:
    """A page with everything: two verdicts of which one is unexpected, a failure, a chapter with a plot and a page."""
    conditions = (Condition("drain", True, "0", "0"), Condition("abrupt", False, "198", "0"))
    told = [
        replace(verdict("2.2-size"), conditions=conditions, treatments=(Sample("on", 3, 12.0, 1.5, "s"),)),
        replace(
            verdict("2.3-dynamic", "refuted"),
            expected="holds",
            predicted=Predicted("it starts", False, "it does not start"),
        ),
    ]
    entry = chapter(figures=("<figure>drawn</figure>",))
    done = run(chapters=[entry], verdicts=told, failures=[Failure("x", "E", "message")])
    return report.render(done, {"2.3-multi-stage": "2.3-multi-stage.html"})


def test_each_verdict_has_its_claim_and_its_prediction() -> None:
    """A reader does not have to look the claim up; a prediction stands beside it where one was made."""
    html = _full().replace("&#39;", "'")

    assert claims.claim("2.2-size").says in html
    assert "You predicted “it starts”; measured: “it does not start”." in html
    assert html.count("You predicted") == 1


def test_every_link_inside_the_page_leads_somewhere() -> None:
    """Contents, errata and plots: no anchor is missing, and no id is given twice."""
    html = _full()
    ids = re.findall(r'\bid="([^"]+)"', html)

    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)
    assert len(ids) == len(set(ids))
    assert {"errata", "verdicts", "failures", "chapters", "environment"} <= set(
        re.findall(r'<li><a href="#([\w-]+)"', html)
    )
    assert 'href="2.3-multi-stage.html"' in html


def test_the_filter_is_a_style_and_needs_no_script() -> None:
    """Each choice but "all" hides the other verdicts by a rule of its own; without the style every verdict is shown."""
    html = _full()
    choices = re.findall(r'id="show-([\w-]+)"', html)

    assert choices == ["all", "holds", "refuted", "unexpected"]
    assert all(f"#show-{word}:checked" in html for word in choices if word != "all")
    assert re.findall(r'<li id="v-[^"]+" class="([^"]+)"', html) == ["is-holds", "is-refuted unexpected"]
    assert "<script" not in html and "display: none" not in html.partition("<body>")[2]


def test_errata_come_first_and_say_what_this_run_did_not_measure() -> None:
    """An erratum whose claim was judged links to the verdict; of another, the page says that this run did not measure it."""
    html = _full()

    assert html.index('id="errata"') < html.index('id="verdicts"')
    assert '<a href="#v-2.3-dynamic"><code>2.3-dynamic</code></a>' in html
    assert '<code>4.3-exporter</code>, <span class="soft">which this run did not measure</span>' in html


def test_no_table_is_cut_off_and_what_is_long_is_folded() -> None:
    """Tables of the page scroll sideways; conditions, treatments, plots, cell times, stand-ins and environment are folded."""
    html = _full().partition("<body>")[2]
    depth = 0
    for part in re.findall(
        r"<details|</details>|<figure>|Each treatment|What the rule asks|kit.plot\(|stands for golang", html
    ):
        depth += {"<details": 1, "</details>": -1}.get(part, 0)
        assert depth > 0 or part == "</details>", f"{part} is not folded"
    for before in html.split("<table")[:-1]:
        assert before.rstrip().endswith('<div class="scroll">')


def test_the_time_of_each_chapter_is_in_one_table() -> None:
    """Minutes of each chapter of this run."""
    html = report.render(run(chapters=[replace(chapter(), seconds=594.0)]))

    assert re.search(r'2\.3-multi-stage</code></th>.*?<td class="number">9 min 54 s</td>', html, re.DOTALL)


def test_a_claim_without_a_verdict_is_counted_apart_and_never_as_drift() -> None:
    """Page, summary and JUnit say "without a verdict" and where the chapter stopped; JUnit skips it."""
    stopped = without(claims.claim("2.2-size"), "the chapter stopped at cell 3")
    failure = Failure("2.3-multi-stage", "ValueError", "no", cell=3, raised=True)
    done = run(chapters=[chapter(failure=failure)], verdicts=[stopped], failures=[failure])
    html = report.render(done)
    document = JUnitXml.fromstring(junit.xml(done).decode())

    assert '<b class="none">1</b>' in html
    assert "Without a verdict: the chapter stopped at cell 3" in html
    assert 'class="drift"' not in html
    assert "| 2.2-size | **without a verdict** |" in report.summary(done)
    (case,) = next(suite for suite in document if suite.name == "verdicts")
    assert case.is_skipped
    assert "the chapter stopped at cell 3" in case.result[0].message


def test_class_names_are_grouped_as_meant() -> None:
    """Jenkins splits at the last dot, so there is one, between package and chapter; each case is unique and names its notebook."""
    done = run(chapters=[chapter(), chapter("2.10-late")], verdicts=[verdict("2.2-size")])
    cases = [case for suite in JUnitXml.fromstring(junit.xml(done).decode()) for case in suite]

    assert {case.classname.rpartition(".")[::2] for case in cases} == {
        ("notebooks", "2_3-multi-stage"),
        ("notebooks", "2_10-late"),
        ("verdicts", "2_3-multi-stage"),
    }
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    assert b'file="notebooks/2.3-multi-stage.ipynb"' in junit.xml(done)


def test_every_text_in_junit_is_xml() -> None:
    """Escapes and control characters in names, types, labels and what the cluster said leave a document that can be read."""
    bad = "a\x1b[31m\x00\x08\ud800\uffff"
    failure = Failure(bad, bad, bad, cell=1, observed=(bad,), detail=bad)
    cells = (CellRun(1, bad, 1e-7, "completed"),)
    entry = replace(chapter(bad), cells=cells, failure=failure)
    text = junit.xml(run(chapters=[entry, replace(entry, not_run=bad)], failures=[failure])).decode()

    assert JUnitXml.fromstring(text)
    assert re.findall(r'time="([^"]*)"', text) == [
        t for t in re.findall(r'time="([^"]*)"', text) if re.fullmatch(r"\d+\.\d+", t)
    ]


def test_a_cell_that_was_ended_is_an_error_and_what_did_not_run_is_skipped() -> None:
    """A bound or a dead kernel is no failed assertion; a chapter that did not start is skipped; the run's own end is an error."""
    ended = Failure("2.3-multi-stage", "CellTimeoutError", "late", cell=3)
    whole = Failure("run", "timeout", "the bound of 5 s was reached")
    entries = [chapter(failure=ended), ChapterRun(Chapter("3.1-x", Path("3.1-x.ipynb"), "T", ()), 0.0, not_run="bound")]
    document = JUnitXml.fromstring(junit.xml(run(chapters=entries, failures=[ended, whole])).decode())
    first, second, _, last = document

    assert [case.is_error for case in first] == [False, True]
    assert [case.is_skipped for case in second] == [True]
    assert [case.result[0].message for case in last] == ["timeout: the bound of 5 s was reached"]


def test_a_report_without_room_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the errors are returned, older files keep their content, and no part of a file is left."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "rows"))
    (tmp_path / "junit.xml").write_text("older")

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    errors = report.write(run(chapters=[chapter()]), tmp_path)

    assert {error.errno for error in errors} == {errno.ENOSPC}
    assert (tmp_path / "junit.xml").read_text() == "older"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["junit.xml"]


DIAGRAM = "flowchart LR\n  A[Deployment] -->|owns| B[ReplicaSet]\n"


def prose(text: str) -> Any:
    """A notebook of one cell."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])  # type: ignore[no-untyped-call]


def test_a_diagram_is_drawn_in_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As SVG, without an address outside the page; the prose around it stays, and the second time it comes from the cache."""
    monkeypatch.setenv("KIT_CACHE", str(tmp_path))
    html = notebook_page.page(prose(f"# Before\n\n```mermaid\n{DIAGRAM}```\n\nAfter *it*."), "Title")
    (kept,) = (tmp_path / "diagrams").iterdir()
    kept.write_text("<svg>kept</svg>")

    assert "owns" in html and "ReplicaSet" in html and 'aria-roledescription="flowchart-v2"' in html
    assert "mermaid\n" not in html and "<em>it</em>" in html and "Before" in html
    assert set(re.findall(r"https?://[^\"'\s<)]+", html.partition("<main")[2])) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/1999/xhtml",
    }
    assert "<svg>kept</svg>" in notebook_page.page(prose(f"```mermaid\n{DIAGRAM}```"), "Title")


def test_a_diagram_that_is_wrong_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is made, and shows the text of the diagram; other code stays code."""
    monkeypatch.setenv("KIT_CACHE", str(tmp_path))
    html = notebook_page.page(prose("```mermaid\nflowchart LR\n  A --> [\n```\n\n```yaml\nkind: Pod\n```"), "Title")

    assert "flowchart LR" in html and "<svg" not in html.partition("<main")[2]
    assert "kind" in html
