"""A run as JUnit XML: a suite a chapter with a case a code cell, and a suite `verdicts` with a case a claim."""

from __future__ import annotations

import re

from junitparser import Error, JUnitXml, Skipped, TestCase, TestSuite
from junitparser import Failure as Failed

from kitlib.executed import CellRun, ChapterRun, Failure, Run
from kitlib.verdict import Verdict

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(run: Run) -> bytes:
    """The document, UTF-8."""
    document = JUnitXml("kit run")
    for entry in run.chapters:
        suite = TestSuite(entry.chapter.name)
        for case in _cases(entry):
            suite.add_testcase(case)
        document.add_testsuite(suite)
    verdicts = TestSuite("verdicts")
    wrong = {failure.claim: failure for failure in run.failures if failure.claim}
    for verdict in run.verdicts:
        verdicts.add_testcase(_claim(verdict, wrong.get(verdict.claim)))
    document.add_testsuite(verdicts)
    return bytes(document.tostring())  # type: ignore[no-untyped-call]


def _cases(entry: ChapterRun) -> list[TestCase]:
    failure = entry.failure
    cases = [_cell(entry.chapter.name, cell, failure) for cell in entry.cells]
    if failure and failure.cell not in {cell.index for cell in entry.cells}:
        case = TestCase("notebook", classname=entry.chapter.name, time=round(entry.seconds, 3))
        case.result = [_result(Error, failure)]
        cases.insert(0, case)
    return cases


def _cell(chapter: str, cell: CellRun, failure: Failure | None) -> TestCase:
    case = TestCase(_text(f"cell {cell.index}: {cell.label}"), classname=chapter, time=cell.seconds)
    if failure and failure.cell == cell.index:
        case.result = [_result(Failed, failure)]
    elif cell.status == "pending":
        case.result = [Skipped("not run")]
    return case


def _claim(verdict: Verdict, failure: Failure | None) -> TestCase:
    case = TestCase(verdict.claim, classname="verdicts", time=0)
    case.system_out = _text(f"{verdict.verdict} (expected {verdict.expected}): {verdict.reading or verdict.reason}")
    if failure:
        case.result = [_result(Failed, failure)]
    return case


def _result(kind: type[Failed | Error], failure: Failure) -> Failed | Error:
    result = kind(_text(f"{failure.error}: {failure.message}"), failure.error)
    said = ["", "What the cluster says:", *failure.observed] if failure.observed else []
    result.text = _text("\n".join([failure.detail or failure.message, *said]))
    return result


def _text(text: str) -> str:
    """What XML 1.0 allows of it."""
    return _NOT_XML.sub("", text)
