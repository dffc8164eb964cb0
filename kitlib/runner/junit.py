"""A run as JUnit XML: one suite per chapter with one case per code cell, and a suite `verdicts` with one case per claim.

Jenkins takes the part before the last dot of a class name as its package, GitLab shows the class name as the suite and keeps
one case per class name and name, GitHub's reporters group by suite and class name and link `file`.  So a chapter's class is
`notebooks.2_3-multi-stage`, its claims' `verdicts.2_3-multi-stage`, and a case's name begins with the number of its cell.
"""

from __future__ import annotations

import re

from junitparser import Attr, Error, JUnitXml, Skipped, TestCase, TestSuite
from junitparser import Failure as Failed

from kitlib.claims import register as claims
from kitlib.claims.verdict import NONE, Verdict
from kitlib.runner.executed_notebook import CellRun, ChapterRun, Failure, Run

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(TestCase):
    """A case that names the notebook it is in."""

    file = Attr()


def xml(run: Run) -> bytes:
    """The document, UTF-8."""
    document = JUnitXml("kit run")
    for entry in run.chapters:
        suite = TestSuite(_text(entry.chapter.name))
        for case in _cases(entry):
            suite.add_testcase(case)
        document.add_testsuite(suite)
    verdicts = TestSuite("verdicts")
    wrong = {failure.claim: failure for failure in run.failures if failure.claim}
    measured_in = {claim.id: claim.chapter for claim in claims.register()}
    for verdict in run.verdicts:
        chapter = measured_in.get(verdict.claim, "")
        verdicts.add_testcase(_claim(verdict, chapter, wrong.get(verdict.claim)))
    document.add_testsuite(verdicts)
    names = {entry.chapter.name for entry in run.chapters}
    if whole := [failure for failure in run.failures if failure.chapter not in names and not failure.claim]:
        document.add_testsuite(_whole(whole[0]))
    return bytes(document.tostring())  # type: ignore[no-untyped-call]


def _whole(failure: Failure) -> TestSuite:
    """A suite for failures outside of chapters: without it, a run in which no chapter started would look like one that skipped all."""
    suite = TestSuite("run")
    case = Case("run", classname="kit.run")
    case.time = 0.0
    case.result = [_result(Error, failure)]
    suite.add_testcase(case)
    return suite


def _cases(entry: ChapterRun) -> list[Case]:
    failure = entry.failure
    cases = [_cell(entry.chapter.name, cell, failure) for cell in entry.cells]
    if entry.not_run:
        cases.insert(0, _case("notebook", "notebooks", entry.chapter.name))
        cases[0].result = [Skipped(_text(f"not run: {entry.not_run}"))]
    elif failure and failure.cell not in {cell.index for cell in entry.cells}:
        cases.insert(0, _case("notebook", "notebooks", entry.chapter.name, entry.seconds))
        cases[0].result = [_result(Error, failure)]
    return cases


def _cell(chapter: str, cell: CellRun, failure: Failure | None) -> Case:
    case = _case(f"cell {cell.index}: {cell.label}", "notebooks", chapter, cell.seconds)
    if failure and failure.cell == cell.index:
        case.result = [_result(Failed if failure.raised else Error, failure)]
    elif cell.status != "completed":
        case.result = [Skipped("not run")]
    return case


def _claim(verdict: Verdict, chapter: str, failure: Failure | None) -> Case:
    case = _case(verdict.claim, "verdicts", chapter or verdict.claim)
    case.system_out = _text(f"{verdict.label} (expected {verdict.expected}): {verdict.told}")
    if failure:
        case.result = [_result(Failed, failure)]
    elif verdict.verdict == NONE:
        case.result = [Skipped(_text(f"{verdict.label}: {verdict.told}"))]
    return case


def _case(name: str, package: str, chapter: str, seconds: float = 0.0) -> Case:
    case = Case(_text(name), classname=_text(f"{package}.{chapter.replace('.', '_')}"))
    case.time = round(seconds, 4)  # never as 1e-05
    case.file = _text(f"notebooks/{chapter}.ipynb")
    return case


def _result(kind: type[Failed | Error], failure: Failure) -> Failed | Error:
    result = kind(_text(f"{failure.error}: {failure.message}"), _text(failure.error))
    said = ["", "What the cluster says:", *failure.observed] if failure.observed else []
    result.text = _text("\n".join([failure.detail or failure.message, *said]))
    return result


def _text(text: str) -> str:
    """The text without the characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("", text)
