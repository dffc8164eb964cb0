"""`kit run`: every chapter headless, then the verdicts of what this run measured, then the report.

A chapter that fails does not stop the others.  The run has failed when a chapter has, when a claim got no rows, or when the
verdict of a deterministic claim is not the one that the register expects; another verdict of a timing claim is drift.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import papermill

from kitlib import claims, console, executed, paths, report
from kitlib.chapters import Chapter, chapters, resolve
from kitlib.errors import ChapterFailed, ClaimError, UsageError
from kitlib.executed import ChapterRun, Failure, Run
from kitlib.experiments import load
from kitlib.verdict import Verdict, not_measurable

__all__ = ["Chapter", "Run", "chapters", "command", "execute", "resolve"]

Announce = Callable[[str], AbstractContextManager[Callable[[str], None]]]


def command(names: Sequence[str], *, profile: str, out: Path | None, params: Sequence[str] = ()) -> int:
    """What `kit run` does; the exit code.  params: KEY=VALUE, the value as JSON where it is that, else as text."""
    chosen = resolve(names)
    given = _parse(params)
    _check(chosen, given)
    from kitlib import lifecycle

    lifecycle.up()
    folder = out or paths.ROOT / "runs" / f"{datetime.now():%Y-%m-%d_%H%M%S}"
    done = execute(chosen, profile=profile, out=folder, params=given)
    for verdict in done.verdicts:
        console.say(f"{verdict.verdict:14} {verdict.claim:14} {verdict.reading or verdict.reason}")
    for failure in done.failures:
        console.say(f"✗ {failure.summary}")
    console.say(f"report: {folder / 'index.html'}")
    return int(done.failed)


def execute(
    chosen: Sequence[Chapter],
    *,
    profile: str,
    out: Path,
    params: Mapping[str, object] | None = None,
    announce: Announce = console.step,
) -> Run:
    """Run the chapters one after the other and write the report into `out`, also when the run is interrupted.

    params reach the chapters whose parameters cell defines them.  Raises UsageError, before anything runs, for one that
    no chapter knows.  announce(name) is entered around each chapter and yields what takes its progress.
    """
    known = _check(chosen, params or {})
    values = {"profile": profile, **(params or {})}
    out.mkdir(parents=True, exist_ok=True)
    run_id, started, began = uuid.uuid4().hex[:12], datetime.now(UTC), time.monotonic()
    done: list[ChapterRun] = []
    stopped: BaseException | None = None
    with _environ(KIT_RUN=run_id, KIT_PROFILE=profile, KIT_RESULTS=str(paths.results())):
        for chapter in chosen:
            mine = {name: value for name, value in values.items() if name in known[chapter.name]}
            entry, stopped = _run_chapter(chapter, out.resolve(), mine, announce)
            done.append(entry)
            if stopped:
                break
    verdicts, missing = _judge(done, run_id)
    finished = Run(
        id=run_id,
        profile=profile,
        started_at=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        chapters=tuple(done),
        verdicts=tuple(verdicts),
        failures=tuple([entry.failure for entry in done if entry.failure] + missing),
    )
    report.write(finished, out)
    if stopped:
        raise stopped
    return finished


def _run_chapter(
    chapter: Chapter, out: Path, params: Mapping[str, object], announce: Announce
) -> tuple[ChapterRun, BaseException | None]:
    """Execute one notebook into `out`; what came of it, and the interrupt that ended it if one did."""
    target, began = out / chapter.path.name, time.monotonic()
    target.unlink(missing_ok=True)  # what an earlier run left here is not this run's
    error: BaseException | None = None
    try:
        with announce(chapter.name) as say:
            error = _papermill(chapter, target, params, say)
            if error is not None:
                raise ChapterFailed(chapter.name, cell=0)  # so that the line of progress ends as a failure
    except ChapterFailed:
        pass
    entry = executed.read(chapter, target, time.monotonic() - began, error)
    return entry, error if isinstance(error, KeyboardInterrupt | SystemExit) else None


def _papermill(
    chapter: Chapter, target: Path, params: Mapping[str, object], say: Callable[[str], None]
) -> BaseException | None:
    """What papermill raised, interrupts included: they too are to be in the report."""
    try:
        papermill.execute_notebook(
            chapter.path,
            target,
            parameters=dict(params),
            engine_name="kit",
            progress_bar=False,
            cwd=chapter.path.parent,
            on_cell=lambda index, total: say(f"{chapter.name} cell {index + 1}/{total}"),
        )
    except BaseException as error:  # noqa: BLE001
        return error
    return None


def _judge(done: Sequence[ChapterRun], run_id: str) -> tuple[list[Verdict], list[Failure]]:
    """A verdict for each claim that the chapters measure, and what is wrong with them."""
    verdicts: list[Verdict] = []
    failures: list[Failure] = []
    for claim in claims.register() if done else ():
        entry = next((e for e in done if e.chapter.name == claim.chapter and claim.id in e.chapter.claims), None)
        if entry is None:
            continue
        verdict, problem = _verdict(claim, run_id, stopped=entry.failure is not None)
        verdicts.append(verdict)
        if problem:
            failures.append(Failure(claim.chapter, "verdict", problem, claim=claim.id))
    return verdicts, failures


def _verdict(claim: claims.Claim, run_id: str, *, stopped: bool) -> tuple[Verdict, str]:
    rows = load(claim.id, run=run_id)
    if rows.empty:
        reason = "the chapter did not measure it" + (": it stopped earlier" if stopped else "")
        expected = claim.expected == "not-measurable"
        return not_measurable(claim, reason), "" if stopped or expected else "no rows measured"
    try:
        verdict = claim.verdict(rows)
    except ClaimError as error:
        return not_measurable(claim, error.message), "" if stopped else f"no verdict: {error.message}"
    if verdict.drift and claim.deterministic:
        return verdict, f"{verdict.verdict}, where the register expects {claim.expected}"
    return verdict, ""


def _check(chosen: Sequence[Chapter], params: Mapping[str, object]) -> dict[str, set[str]]:
    """The parameters that each chapter defines."""
    known = {chapter.name: set(papermill.inspect_notebook(chapter.path)) for chapter in chosen}
    names = set().union(*known.values()) - {"profile"}
    if "profile" in params:
        raise UsageError("the profile is not a parameter of its own", hint="--profile quick, or --profile full")
    if unknown := sorted(params.keys() - names):
        some = f"they know {', '.join(sorted(names))}" if names else "they have none but the profile"
        raise UsageError(f"no chosen chapter has a parameter {unknown[0]!r}", hint=some)
    return known


def _parse(params: Sequence[str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for word in params:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"{word!r} is not KEY=VALUE", hint="for instance -p repeats=3")
        try:
            given[key] = json.loads(value)
        except ValueError:
            given[key] = value
    return given


@contextmanager
def _environ(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
