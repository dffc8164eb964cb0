"""`kit run`: which chapters, what becomes of a failing one, and what is in the folder of the report."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from junitparser import JUnitXml
from papermill.iorw import LocalHandler

from kitlib.errors import EngineError, InputError, UsageError
from kitlib.runner import chapters as reading
from kitlib.runner import preparing, resume
from kitlib.runner import run as runs
from kitlib.runner.executed_notebook import Run

new: Any = nbformat.v4

START = ["# Where to begin", {"parameters": "profile = 'quick'\nrepeats = 1"}, "print(profile, repeats)"]
START += ["print('password=hunter2-' + 'printed')", "import os; print(os.environ['KIT_PROFILE'], os.getcwd())"]
FAILING = ["# It fails", "print('before')", "raise ValueError('no such thing')", "print('never')"]
DYING = ["# It dies", "import os; os._exit(3)"]
MEASURING = [
    "# Multi-stage builds",
    "import kitlib as kit; dynamic = kit.claim('2.3-dynamic')",
    "startup = kit.claim('2.3-startup'); size = kit.claim('2.2-size')",
    """
import json, os
same = {"claim": dynamic.id, "metric": "starts", "dockerfile": "guide-2.3", "unit": "0/1", "profile": "quick"}
same |= {"run": os.environ["KIT_RUN"], "stamp": "0123456789ab", "started_at": "2026-01-01T00:00:00.000+00:00"}
rows = [{"kind": "row", **same, "repeat": i, "value": STARTS} for i in (1, 2, 3)]
place = {"kind": "environment", "stamp": "0123456789ab", "environment": {"os": "Example OS", "cores": 2}}
with open(f"{os.environ['KIT_RESULTS']}/{dynamic.id}.jsonl", "a") as file:
    file.writelines(json.dumps(line) + "\\n" for line in [place, *rows])
""",
    "from IPython.display import HTML; HTML('<figure><figcaption>Starts</figcaption><svg></svg></figure>')",
    "HTML('<p>not a plot</p>')",
]
OLDER = {
    **{
        "kind": "row",
        "claim": "2.3-dynamic",
        "metric": "starts",
        "dockerfile": "guide-2.3",
        "unit": "0/1",
        "profile": "quick",
    },
    **{
        "run": "older",
        "stamp": "ba9876543210",
        "started_at": "2025-01-01T00:00:00.000+00:00",
        "repeat": 1,
        "value": 1.0,
    },
}
VERDICTS = ["# All verdicts", "print('last')"]


def write(folder: Path, name: str, sources: list[Any]) -> None:
    """A notebook: a string that begins with # is prose, a dict holds its parameters cell, the rest is code."""
    cells = []
    for source in sources:
        if isinstance(source, dict):
            cells.append(new.new_code_cell(source["parameters"], metadata={"tags": ["parameters"]}))
        else:
            cells.append((new.new_markdown_cell if source.startswith("# ") else new.new_code_cell)(source.strip()))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (folder / f"{name}.ipynb").write_text(json.dumps(new.new_notebook(cells=cells, metadata=kernel)))


@contextmanager
def silent(_: str) -> Iterator[Any]:
    yield lambda _line: None


@dataclass(frozen=True)
class Done:
    run: Run
    out: Path
    said: list[str]

    def notebook(self, name: str) -> Any:
        return nbformat.read(self.out / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]

    def suite(self, name: str) -> dict[str, Any]:
        suites = {suite.name: suite for suite in JUnitXml.fromfile(str(self.out / "junit.xml"))}
        return {case.name: case for case in suites[name]}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """One run of five chapters, of which two fail, into a folder that holds an older run's file."""
    folder, results, out = (tmp_path_factory.mktemp(name) for name in ("notebooks", "results", "out"))
    write(folder, "0-start", START)
    write(folder, "1-fails", FAILING)
    write(folder, "2.1-dies", DYING)
    write(folder, "2.3-multi-stage", [source.replace("STARTS", "0.0") for source in MEASURING])
    write(folder, "9-verdicts", VERDICTS)
    (results / "2.3-dynamic.jsonl").write_text(json.dumps(OLDER) + "\n")
    said: list[str] = []

    @contextmanager
    def announce(_: str) -> Iterator[Any]:
        yield said.append

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_RESULTS", str(results))
        patch.setenv("KIT_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("KIT_RUN", raising=False)
        found = runs.execute(
            reading.chapters(folder), profile="quick", out=out, params={"repeats": 7}, announce=announce
        )
        assert "KIT_RUN" not in os.environ
        yield Done(found, out, said)


def test_chapters_come_in_reading_order(tmp_path: Path) -> None:
    """Sections count as numbers, the template is no chapter, and the verdicts come last whatever follows them."""
    for name in ("9-verdicts", "2.10-late", "10-later", "2.3-multi-stage", "template", "0-start", "notes"):
        write(tmp_path, name, ["# Title of it", "pass"])

    names = [chapter.name for chapter in reading.chapters(tmp_path)]

    assert names == ["0-start", "2.3-multi-stage", "2.10-late", "10-later", "notes", "9-verdicts"]


def test_a_chapter_knows_its_title_and_its_claims(tmp_path: Path) -> None:
    """The title is the first heading; claims are those that code names, each once, and not those in prose."""
    write(
        tmp_path,
        "2.3-x",
        [
            "# The *title* #",
            "# prose: kit.claim('no')",
            "a = kit.claim('b-1')\nkit.claim( \"a-2\" )",
            "kit.claim('b-1')",
        ],
    )

    (chapter,) = reading.chapters(tmp_path)

    assert (chapter.title, chapter.claims) == ("The *title*", ("b-1", "a-2"))


def test_chapters_are_named_by_their_beginning(tmp_path: Path) -> None:
    """A beginning that fits one chapter is enough; the result is in reading order without repeats; no name means all."""
    for name in ("0-start", "2.1-a", "2.3-b"):
        write(tmp_path, name, ["# T"])
    known = reading.chapters(tmp_path)

    def names(*words: str) -> list[str]:
        return [chapter.name for chapter in reading.resolve(words, known)]

    assert names("2.3", "0", "2.3-b.ipynb") == ["0-start", "2.3-b"]
    assert names() == ["0-start", "2.1-a", "2.3-b"]


@pytest.mark.parametrize(("word", "told"), [("2", "2.1-a, 2.3-b"), ("7", "no chapter")])
def test_an_unknown_or_ambiguous_name_is_refused_with_the_list(tmp_path: Path, word: str, told: str) -> None:
    """The refusal says what the word fits and lists every chapter."""
    for name in ("2.1-a", "2.3-b"):
        write(tmp_path, name, ["# Its title"])

    with pytest.raises(UsageError, match=told) as refusal:
        reading.resolve([word], reading.chapters(tmp_path))

    assert [line.split()[0] for line in refusal.value.observed] == ["2.1-a", "2.3-b"]


def test_a_parameter_that_no_chapter_knows_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """The refusal names the parameters there are, and the folder of the report is not even made."""
    write(tmp_path, "0-start", START)

    with pytest.raises(UsageError, match=r"'repeat'(?s:.*)repeats"):
        runs.execute(reading.chapters(tmp_path), profile="quick", out=tmp_path / "out", params={"repeat": 3})

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [["repeats"], ["=3"], ["profile=full"]])
def test_malformed_parameters_are_refused(words: list[str]) -> None:
    """KEY=VALUE is what -p takes, and the profile has its own option."""
    with pytest.raises(UsageError):
        runs.command([], profile="quick", out=None, params=words)


def test_the_other_chapters_go_on(done: Done) -> None:
    """Two chapters fail, three run to their end, the verdicts last; the run has failed."""
    ended = {entry.chapter.name: entry.failure is None for entry in done.run.chapters}

    assert done.run.failed
    assert list(ended.items()) == [
        ("0-start", True),
        ("1-fails", False),
        ("2.1-dies", False),
        ("2.3-multi-stage", True),
        ("9-verdicts", True),
    ]


def test_a_failure_says_where_and_why(done: Done) -> None:
    """The cell that raised is named with its error and traceback; a kernel that died is reported as such."""
    raised, died = (entry.failure for entry in done.run.chapters if entry.failure)

    assert (raised.chapter, raised.cell, raised.error, raised.message) == ("1-fails", 2, "ValueError", "no such thing")
    assert "raise ValueError" in raised.detail
    assert (died.cell, "died" in died.message.lower()) == (1, True)


def test_partial_output_of_a_failing_chapter_is_kept(done: Done) -> None:
    """What a chapter printed before it failed is in its notebook and on its page."""
    assert "before\\n" in (done.out / "1-fails.ipynb").read_text()
    assert "before" in (done.out / "1-fails.html").read_text()


def test_parameters_reach_the_chapters_that_define_them(done: Done) -> None:
    """The profile and -p reach a parameters cell; kernels see the run's environment and stand in the notebooks' folder."""
    outputs = [
        output.text for cell in done.notebook("0-start").cells for output in cell.get("outputs", []) if "text" in output
    ]

    assert outputs[0] == "quick 7\n"
    assert outputs[2].startswith("quick ")
    assert outputs[2].strip().endswith(str(done.run.chapters[0].chapter.path.parent))


def test_each_cell_has_its_time_everywhere(done: Done) -> None:
    """A code cell's seconds are in the notebook, in the run and in junit.xml."""
    cells = done.run.chapters[0].cells
    cases = done.suite("0-start")

    assert len(cells) == 5  # one is the parameters that papermill added
    assert all(cell.seconds > 0 for cell in cells)
    assert [case.time for case in cases.values()] == [cell.seconds for cell in cells]


def test_junit_has_a_case_a_cell_and_a_case_a_claim(done: Done) -> None:
    """The failing cell is a failure with its message, the cells after it are skipped, claims have their suite."""
    cells = done.suite("1-fails")
    claims = done.suite("verdicts")

    assert cells["cell 1: print('before')"].result == []
    assert "no such thing" in cells["cell 2: raise ValueError('no such thing')"].result[0].message
    assert cells["cell 3: print('never')"].is_skipped
    assert list(claims) == ["2.2-size", "2.3-dynamic", "2.3-startup"]
    assert [case.is_failure for case in claims.values()] == [True, False, True]


def test_results_json_lists_the_verdicts_of_this_run(done: Done) -> None:
    """A measured claim has figures and stamp; a claim without rows is without a verdict, and that fails the run."""
    results = {entry["claim"]: entry for entry in json.loads((done.out / "results.json").read_text())}

    measured = results["2.3-dynamic"]
    assert (measured["verdict"], measured["n"], measured["median"]) == ("refuted", 3, None)  # no median of yes and no
    assert measured["stamp"] == {"id": "0123456789ab", "os": "Example OS", "cores": 2}
    assert (results["2.2-size"]["verdict"], results["2.2-size"]["drift"]) == ("none", False)
    assert [failure.claim for failure in done.run.failures if failure.claim] == ["2.2-size", "2.3-startup"]


def test_only_the_rows_of_this_run_are_copied(done: Done) -> None:
    """results/ beside the report holds this run's rows and their environment, not an older run's."""
    lines = [json.loads(line) for line in (done.out / "results" / "2.3-dynamic.jsonl").read_text().splitlines()]

    assert [line["kind"] for line in lines] == ["environment", "row", "row", "row"]
    assert {line["run"] for line in lines[1:]} == {done.run.id}


def test_plots_are_taken_out_of_the_notebooks(done: Done) -> None:
    """The report shows outputs that are a figure, and no other HTML."""
    index = (done.out / "index.html").read_text()

    assert done.run.chapters[3].figures == ("<figure><figcaption>Starts</figcaption><svg></svg></figure>",)
    assert "<figcaption>Starts</figcaption>" in index
    assert "<p>not a plot" not in index


def test_no_secret_is_in_any_file(done: Done) -> None:
    """What a cell printed masked is masked in the notebook, the page, the report and the JUnit file."""
    files = [path for path in done.out.rglob("*") if path.is_file()]
    chapters = {f"{entry.chapter.name}{suffix}" for entry in done.run.chapters for suffix in (".ipynb", ".html")}
    besides = {"index.html", "summary.md", "results.json", "junit.xml", "run.json", "2.3-dynamic.jsonl"}

    assert {path.name for path in files} == chapters | besides
    assert [path.name for path in files if b"hunter2-printed" in path.read_bytes()] == []
    assert "password=[masked]" in (done.out / "0-start.html").read_text()


def test_progress_names_chapter_and_cell(done: Done) -> None:
    """Each cell is announced as it starts."""
    assert [line for line in done.said if line.startswith("1-fails")] == [
        "1-fails cell 1/4",
        "1-fails cell 2/4",
        "1-fails cell 3/4",
    ]


def test_a_deterministic_claim_that_comes_out_otherwise_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image that was expected not to start starts: that verdict is a failure, in the run and in JUnit."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    sources = [source.replace("STARTS", "1.0") for source in MEASURING]
    del sources[2]  # the claims that it does not measure
    write(tmp_path, "2.3-multi-stage", sources)

    run = runs.execute(reading.chapters(tmp_path), profile="quick", out=tmp_path / "out", announce=silent)

    (failure,) = run.failures
    assert (failure.claim, failure.message) == ("2.3-dynamic", "holds, where the register expects refuted")
    assert Done(run, tmp_path / "out", []).suite("verdicts")["2.3-dynamic"].is_failure


def test_an_interrupted_run_still_writes_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the first chapter: it is marked, the second does not start, and the report is there."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    write(
        tmp_path, "0-start", ["# A", "print('be' + 'fore')", "import os, signal; os.kill(os.getppid(), signal.SIGINT)"]
    )
    write(tmp_path, "1-next", ["# B", "print(1)"])

    with pytest.raises(KeyboardInterrupt):
        runs.execute(reading.chapters(tmp_path), profile="quick", out=tmp_path / "out", announce=silent)

    assert "interrupted" in (tmp_path / "out" / "index.html").read_text()
    assert "before\\n" in (tmp_path / "out" / "0-start.ipynb").read_text()
    assert not (tmp_path / "out" / "1-next.ipynb").exists()


DRIVER = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may be run by nohup, which the kit respects
signal.signal(signal.SIGINT, signal.default_int_handler)
from kitlib.host import stopping
stopping.from_the_start()
from pathlib import Path
from kitlib.runner import chapters, preparing, run
folder, known = Path(sys.argv[1]), chapters.chapters
run.resolve = lambda names: chapters.resolve(names, known(folder))
preparing._make = lambda _: exec(sys.argv[2])
from kitlib.cli import main
raise SystemExit(main(sys.argv[3:]))
"""
LONG = [
    "# Long",
    "size = 1",
    "import time; open(MARK, 'w').close(); time.sleep(600)",
    "2",
]


@contextmanager
def command(folder: Path, *words: str, up: str = "", stdout: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """`kit run` on the notebooks of a folder; `up` is what is done where an engine or a cluster would be made."""
    argv = [sys.executable, "-c", DRIVER, str(folder), up, "run", "-o", str(folder / "out"), *words]
    env = {**os.environ, "KIT_RESULTS": str(folder / "results"), "KIT_HOME": str(folder / "home")}
    with subprocess.Popen(argv, env=env, stdout=stdout, stderr=subprocess.PIPE, text=True) as process:
        yield process


def reached(process: subprocess.Popen[str], mark: Path) -> None:
    """Return when the command has opened the named pipe; a command that ends before that fails the test."""
    with os.fdopen(os.open(mark, os.O_RDONLY | os.O_NONBLOCK)) as pipe:
        opened = select.poll()
        opened.register(pipe)  # hung up: a writer was there, and is gone
        while not opened.poll(200):
            assert process.poll() is None, process.communicate()[1]


def cases(out: Path, name: str) -> dict[str, Any]:
    return Done(None, out, []).suite(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_in_a_cell_ends_the_command_in_one_line(tmp_path: Path, number: signal.Signals) -> None:
    """The exit code says which signal, the last line where the report is; no traceback; what did not run is skipped."""
    mark = tmp_path / "mark"
    os.mkfifo(mark)
    write(tmp_path, "0-start", [source.replace("MARK", repr(str(mark))) for source in LONG])
    write(tmp_path, "1-next", ["# B", "print(1)"])
    with command(tmp_path) as process:
        reached(process, mark)
        process.send_signal(number)
        out, err = process.communicate(timeout=300)

    assert (process.returncode, out) == (128 + number, "")
    assert err.splitlines()[-1].endswith(f"the report is {tmp_path / 'out' / 'index.html'}")
    assert "Traceback" not in err
    assert [case.is_skipped for case in cases(tmp_path / "out", "0-start").values()] == [False, False, True]
    assert cases(tmp_path / "out", "0-start")["cell 2: " + LONG[2].replace("MARK", repr(str(mark)))].is_error
    assert cases(tmp_path / "out", "1-next")["notebook"].is_skipped


def test_a_signal_before_the_first_chapter_leaves_a_report_too(tmp_path: Path) -> None:
    """While the cluster is made, SIGTERM ends the run: every chapter is not run, every claim without a verdict."""
    write(tmp_path, "2.3-multi-stage", [source.replace("STARTS", "0.0") for source in MEASURING])
    mark = tmp_path / "mark"
    os.mkfifo(mark)
    with command(tmp_path, up=f"open({str(mark)!r}, 'w').close(); import time; time.sleep(600)") as process:
        reached(process, mark)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=300)

    assert process.returncode == 143
    assert len(err.splitlines()) == 1
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {(entry["verdict"], entry["drift"]) for entry in results} == {("none", False)}


def test_the_bound_of_a_cell_ends_its_chapter_and_not_the_run(tmp_path: Path) -> None:
    """The cell is named with its first line and is an error in JUnit; the next chapter runs; the exit code is 1."""
    write(tmp_path, "1-long", ["# A", "import time; time.sleep(600)", "2"])
    write(tmp_path, "2-next", ["# B", "print(1)"])
    with command(tmp_path, "--cell-timeout", "5") as process:
        _, err = process.communicate(timeout=300)

    assert process.returncode == 1
    assert "✗ 1-long, cell 1: CellTimeoutError: cell 1 did not end in 5 s: import time; time.sleep(600)" in err
    assert "Traceback" not in err
    first, second = cases(tmp_path / "out", "1-long").values()
    assert (first.is_error, second.is_skipped) == (True, True)
    assert cases(tmp_path / "out", "2-next")["cell 1: print(1)"].is_passed


def test_the_bound_of_a_run_leaves_the_other_chapters_not_run(tmp_path: Path) -> None:
    """It ends what runs; what has not begun is skipped, and its claims are without a verdict; the exit code is 1."""
    write(tmp_path, "1-long", ["# A", "import time; time.sleep(600)"])
    write(tmp_path, "2.3-multi-stage", [source.replace("STARTS", "0.0") for source in MEASURING])
    with command(tmp_path, "--timeout", "15") as process:
        out, err = process.communicate(timeout=300)

    assert process.returncode == 1
    assert "the bound of 15 s was reached; not run: 2.3-multi-stage" in err
    assert {line.split("  ")[0][:17] for line in out.splitlines()} == {"without a verdict"}
    assert cases(tmp_path / "out", "2.3-multi-stage")["notebook"].is_skipped
    assert cases(tmp_path / "out", "run")["run"].is_error


def test_a_reader_that_is_gone_gets_no_traceback(tmp_path: Path) -> None:
    """stdout is a closed pipe: the run ends as it would have, with its report."""
    write(tmp_path, "2.3-multi-stage", [source.replace("STARTS", "0.0") for source in MEASURING])
    reader, writer = os.pipe()
    os.close(reader)
    with command(tmp_path, stdout=writer) as process:
        os.close(writer)
        err = process.communicate(timeout=300)[1]

    assert process.returncode == 1  # two of its claims have no rows
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize("out", ["file", "file/below", "loop/x"])
def test_a_folder_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path, out: str) -> None:
    """A file, a path below one, a link to itself: wrong usage, and no cluster is made."""
    write(tmp_path, "0-start", ["# A", "1"])
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    made: list[str] = []

    with pytest.raises(UsageError, match="report cannot be written"):
        runs.execute(
            reading.chapters(tmp_path), profile="quick", out=tmp_path / out, prepare=lambda _: made.append("cluster")
        )

    assert made == []


def test_what_a_chapter_needs_is_made_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One chapter after the other, and its verdicts are there before the next one's needs are made."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    write(tmp_path, "1-go", ["# Go", "1"])
    write(tmp_path, "2.3-multi-stage", [source.replace("STARTS", "0.0") for source in MEASURING])
    write(tmp_path, "3-last", ["# Last", "1"])
    order: list[str] = []

    runs.execute(
        reading.chapters(tmp_path),
        profile="quick",
        out=tmp_path / "out",
        announce=silent,
        prepare=lambda chapter: order.append(chapter.name),
        on_verdict=lambda verdict: order.append(verdict.claim),
    )

    assert order[:2] == ["1-go", "2.3-multi-stage"]
    assert order[-1] == "3-last"
    assert "2.3-dynamic" in order[2:-1]


def test_a_chapter_that_has_to_wait_runs_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is ready, the chapters that need nothing come first; the report has the chapters in their order."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    names = ["0-start", "1-go-basics", "2.1-docker-concepts", "9-verdicts"]
    for name in names:
        write(tmp_path, name, ["# T", "1"])
    order: list[str] = []

    done = runs.execute(
        reading.chapters(tmp_path),
        profile="quick",
        out=tmp_path / "out",
        announce=silent,
        later=lambda chapter: preparing.waits(chapter.name),
        prepare=lambda chapter: order.append(chapter.name),
    )

    assert order == ["1-go-basics", "0-start", "2.1-docker-concepts", "9-verdicts"]
    assert [entry.chapter.name for entry in done.chapters] == names


def test_what_cannot_be_made_is_told_for_each_chapter_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chapter that needs less has run; the others did not, and say why."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    for name in ("1-go", "2-engine", "3-cluster"):
        write(tmp_path, name, ["# T", "1"])

    def prepare(chapter: reading.Chapter) -> None:
        if chapter.name == "2-engine":
            raise EngineError("no engine answers", hint="start it")

    with pytest.raises(EngineError):
        runs.execute(
            reading.chapters(tmp_path), profile="quick", out=tmp_path / "out", announce=silent, prepare=prepare
        )

    assert not cases(tmp_path / "out", "1-go")["cell 1: 1"].is_skipped
    assert "no engine answers" in (tmp_path / "out" / "index.html").read_text()
    assert all(cases(tmp_path / "out", name)["notebook"].is_skipped for name in ("2-engine", "3-cluster"))


def resumed(folder: Path) -> tuple[runs.Run, list[str]]:
    """The run of a folder, resumed, and the chapters that ran."""
    ran: list[str] = []

    @contextmanager
    def announce(name: str) -> Iterator[Any]:
        ran.append(name)
        yield lambda _: None

    out = folder / "out"
    known = reading.chapters(folder)
    begun = resume.read(out) if (out / resume.FILE).exists() else None
    return runs.execute(known, profile="quick", out=out, announce=announce, begun=begun), ran


def test_a_resumed_run_keeps_the_chapters_that_ended_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failed chapter runs again under the same run, a changed one too; verdicts of kept chapters are those of before."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    write(tmp_path, "1-good", ["# Good", "1"])
    write(tmp_path, "2.3-multi-stage", [source.replace("STARTS", "0.0") for source in MEASURING])
    write(tmp_path, "3-fails", ["# Fails", "1 / 0"])
    first, ran_first = resumed(tmp_path)
    again, ran_again = resumed(tmp_path)
    write(tmp_path, "3-fails", ["# Fails no more", "1"])
    write(tmp_path, "1-good", ["# Good, and changed", "2"])
    last, ran_last = resumed(tmp_path)

    assert ran_first == ["1-good", "2.3-multi-stage", "3-fails"]
    assert (ran_again, ran_last) == (["3-fails"], ["1-good", "3-fails"])
    assert {first.id, again.id, last.id} == {first.id}
    assert [len(run.failures) for run in (first, again)] == [len(last.failures) + 1] * 2
    assert [v.as_dict() for v in last.verdicts] == [v.as_dict() for v in first.verdicts]
    assert [entry.chapter.name for entry in last.chapters] == ran_first
    assert last.seconds >= last.chapters[1].seconds > 0


def test_a_killed_run_can_be_resumed(tmp_path: Path) -> None:
    """SIGKILL in the second chapter: the first one is kept, and the command's own words are those of the run."""
    mark = tmp_path / "mark"
    os.mkfifo(mark)
    write(tmp_path, "0-start", ["# A", "print(1)"])
    write(tmp_path, "1-next", [source.replace("MARK", repr(str(mark))) for source in LONG])
    with command(tmp_path) as process:
        reached(process, mark)
        process.kill()
        process.communicate(timeout=300)
    write(tmp_path, "1-next", ["# B", "print(2)"])
    with command(tmp_path, "--resume") as process:
        _, err = process.communicate(timeout=300)

    assert process.returncode == 0
    assert "0-start is kept" in err
    assert [not case.is_skipped for name in ("0-start", "1-next") for case in cases(tmp_path / "out", name).values()]


@pytest.mark.parametrize("text", ["", "{}", '{"id": 1}', "[]"])
def test_a_damaged_run_is_not_resumed(tmp_path: Path, text: str) -> None:
    """Neither is a folder that has none."""
    with pytest.raises(UsageError, match="no run that can be resumed"):
        resume.read(tmp_path)
    (tmp_path / resume.FILE).write_text(text)
    with pytest.raises(InputError, match="is damaged"):
        resume.read(tmp_path)


def test_a_full_disk_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the report can be written: the verdicts are there, the run has failed, and says why."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    write(tmp_path, "2.3-multi-stage", [source.replace("STARTS", "0.0") for source in MEASURING])

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        patch.setattr(LocalHandler, "write", full)
        run = runs.execute(reading.chapters(tmp_path), profile="quick", out=tmp_path / "out", announce=silent)

    assert [verdict.verdict for verdict in run.verdicts] == ["none", "refuted", "none"]
    assert (run.failed, "No space left" in run.unwritten) == (True, True)
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_only_what_a_stopped_chapter_had_judged_has_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a claim whose verdict the chapter did not come to are not judged; those of an earlier one are."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    ends = {"judged": ["dynamic.verdict(kit_rows)", "1 / 0"], "stopped": ["1 / 0", "dynamic.verdict(kit_rows)"]}
    found = {}
    for name, cells in ends.items():
        folder = tmp_path / name
        folder.mkdir()
        bind = "import kitlib as kit; dynamic = kit.claim('2.3-dynamic')"
        load = "kit_rows = kit.claims.rows.load('2.3-dynamic')"
        write(folder, "2.3-multi-stage", [MEASURING[0], bind, MEASURING[3].replace("STARTS", "0.0"), load, *cells])
        (verdict,) = runs.execute(
            reading.chapters(folder), profile="quick", out=folder / "out", announce=silent
        ).verdicts
        found[name] = (verdict.verdict, verdict.drift, verdict.reason)

    assert found["judged"][:2] == ("refuted", False)
    assert found["stopped"] == ("none", False, "the chapter stopped at cell 4")
