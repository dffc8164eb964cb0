"""`kit run`: every chapter headless, then the verdicts of what this run measured, then the report.

A chapter that fails does not stop the others, and its claims are without a verdict.  The run has failed when a chapter has, when a
claim got no rows, when the verdict of a deterministic claim is not the one that the register expects, or when the report could not
be written; another verdict of a timing claim is drift.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import papermill

from kitlib import paths
from kitlib.claims import register as claims
from kitlib.claims import rows
from kitlib.claims.verdict import Verdict, unmeasurable, without
from kitlib.errors import ClaimError, InputError, KitError, UsageError
from kitlib.host import console, stopping
from kitlib.host.stopping import BOUND, Stopped
from kitlib.runner import executed_notebook, parameters, preparing, report, resume
from kitlib.runner.chapters import Chapter, chapters, resolve
from kitlib.runner.executed_notebook import ChapterRun, Failure, Run
from kitlib.runner.resume import Begun

__all__ = ["Chapter", "Run", "chapters", "command", "execute", "resolve"]

CELL_TIMEOUT = 1800.0  # seconds; five chapters of the full profile take 40 minutes together
FULL = (errno.ENOSPC, errno.EDQUOT)

Announce = Callable[[str], AbstractContextManager[Callable[[str], None]]]


def command(
    names: Sequence[str],
    *,
    profile: str,
    out: Path | None,
    params: Sequence[str] = (),
    cell_timeout: float | None = CELL_TIMEOUT,
    timeout: float | None = None,
    again: bool = False,
) -> int:
    """Run the command `kit run`; returns the exit code.  params: KEY=VALUE.  cell_timeout, timeout: seconds for a cell, for all.

    again: go on with the run in `out`, by default the newest, as it was begun: names, profile and params are those of that run.
    """
    folder = out or (resume.newest() if again else resume.RUNS / f"{datetime.now():%Y-%m-%d_%H%M%S}")
    begun = resume.read(folder) if again else None
    chosen = resolve(begun.chapters if begun else names)
    given = begun.params if begun else parameters.parse(params)
    parameters.fit(chosen, given)
    shown: list[str] = []
    made, nothing = preparing.Needs(), preparing.nothing_yet()

    def show(verdict: Verdict) -> None:
        shown.append(verdict.claim)
        console.show([_line(verdict)])

    try:
        done = execute(
            chosen,
            profile=begun.profile if begun else profile,
            out=folder,
            params=given,
            begun=begun,
            cell_timeout=cell_timeout,
            timeout=timeout,
            prepare=lambda chapter: made.make(preparing.needs(chapter.name)),
            later=lambda chapter: nothing and preparing.waits(chapter.name),
            on_verdict=show,
        )
    except Stopped as stopped:
        raise Stopped(stopped.number, f"the report is {folder / 'index.html'}") from None
    _say(done, folder, shown)
    return int(done.failed)


def execute(
    chosen: Sequence[Chapter],
    *,
    profile: str,
    out: Path,
    params: Mapping[str, object] | None = None,
    begun: Begun | None = None,
    announce: Announce = console.step,
    cell_timeout: float | None = None,
    timeout: float | None = None,
    prepare: Callable[[Chapter], object] = lambda _: None,
    later: Callable[[Chapter], bool] = lambda _: False,
    on_verdict: Callable[[Verdict], object] = lambda _: None,
) -> Run:
    """Run the chapters one after the other and write the report into `out`, also when the run is interrupted.

    params reach the chapters whose parameters cell defines them.  begun: an earlier run in `out`, of which the chapters that ended well
    are kept.  announce(name) is entered around each chapter and yields a function
    for its progress.  cell_timeout, timeout: seconds that a cell, and everything together, may take; None: no limit.
    prepare: makes what a chapter needs, before it; when that fails, the report has the error for this chapter and those after it.
    later: which chapters run after all others; the report has them in the order given.
    on_verdict: is called with the verdicts of a chapter that ran, after it.
    Raises UsageError, before anything runs, for a parameter that no chapter knows, and for a folder that cannot be written.
    """
    values = parameters.fit(chosen, params or {})
    _make(out)
    if begun is None:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        begun = Begun(uuid.uuid4().hex[:12], profile, started, [it.name for it in chosen], dict(params or {}))
    with suppress(OSError):  # a full disk ends no run; without the file, this one cannot be resumed
        begun.write(out)
    state = _State(begun, out.resolve(), cell_timeout)
    environ = {"KIT_RUN": state.id, "KIT_PROFILE": profile, "KIT_RESULTS": str(paths.results())}
    with stopping.watched(once=True) as state.watch, _environ(**environ), state.watch.hold():
        with stopping.bounded(timeout):
            for chapter in sorted(chosen, key=later):
                if not state.keep(chapter):
                    state.prepare(partial(prepare, chapter))
                    state.take(chapter, values[chapter.name], announce)
                for verdict in state.judge():
                    on_verdict(verdict)
        state.done.sort(key=lambda entry: chosen.index(entry.chapter))
        finished = state.finish(timeout)
        if errors := report.write(finished, out):
            finished = replace(finished, unwritten=f"{out}: {errors[0].strerror or errors[0]}")
    if state.stopped and not state.bound_reached:
        raise state.stopped
    return finished


@dataclass
class _State:
    """A run in progress.  stopped: the exception that ended it early.  A signal can cut short only the step that `attempt` runs."""

    begun: Begun
    out: Path
    cell_timeout: float | None
    watch: stopping.Watch = field(default_factory=stopping.Watch)
    stopped: BaseException | None = None

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.done: list[ChapterRun] = []
        self.verdicts: list[Verdict] = []
        self.wrong: list[Failure] = []

    @property
    def id(self) -> str:
        """The run's id, which its rows have."""
        return self.begun.id

    @property
    def bound_reached(self) -> bool:
        return isinstance(self.stopped, Stopped) and self.stopped.number == BOUND

    @property
    def why(self) -> str:
        """Why no further chapter starts."""
        if self.bound_reached:
            return "the bound of the run was reached before"
        return self.stopped.message if isinstance(self.stopped, KitError) else "the run was stopped before"

    def attempt(self, step: Callable[[], object]) -> BaseException | None:
        """Run a step; returns its exception.  One that ends the run is noted."""
        try:
            with self.watch.let_through():
                step()
            self.watch.check()
        except BaseException as error:  # noqa: BLE001
            if isinstance(error, KitError | KeyboardInterrupt | SystemExit):
                self.stopped = error
            return error
        return None

    def prepare(self, step: Callable[[], object]) -> None:
        """Make what the next chapter needs, unless the run is to end."""
        if not self.stopped:
            self.attempt(step)

    def keep(self, chapter: Chapter) -> bool:
        """Whether the chapter ended well before, and is kept as it is."""
        entry = self.begun.kept(chapter, self.out)
        if entry:
            console.say(f"{chapter.name} is kept: it has run, in {entry.seconds:.0f} s")
            self.began -= entry.seconds
            self.done.append(entry)
        return bool(entry)

    def take(self, chapter: Chapter, params: Mapping[str, object], announce: Announce) -> None:
        """Run a chapter, unless the run is to end."""
        if self.stopped:
            self.done.append(ChapterRun(chapter, 0.0, not_run=self.why))
            return
        if chapter.problem:
            self.done.append(executed_notebook.read(chapter, None, None, 0.0, InputError(chapter.problem)))
            return
        own = {"profile": self.begun.profile} if parameters.OWN in parameters.defaults(chapter) else {}
        found, began = _Found(), time.monotonic()
        error = self.attempt(
            lambda: _papermill(chapter, self.out, {**own, **params}, announce, self.cell_timeout, found)
        )
        self.done.append(executed_notebook.read(chapter, found.nb, found.written, time.monotonic() - began, error))
        with suppress(OSError):
            self.begun.note(self.done[-1], self.out)

    def judge(self) -> Sequence[Verdict]:
        """The verdicts of the last chapter, if it ran."""
        entry = self.done[-1]
        verdicts, wrong = _judge(entry, self.id)
        self.verdicts += verdicts
        self.wrong += wrong
        return [] if entry.not_run else verdicts

    def finish(self, timeout: float | None) -> Run:
        """The verdicts in the order of the register, and all that went wrong."""
        order = [claim.id for claim in claims.register()] if self.verdicts else []
        failures = [entry.failure for entry in self.done if entry.failure]
        if self.bound_reached:
            left = [entry.chapter.name for entry in self.done if entry.not_run]
            told = f"the bound of {timeout:g} s was reached" + (f"; not run: {', '.join(left)}" if left else "")
            failures.append(Failure("run", "timeout", told))
        elif self.stopped and not failures:
            failures.append(Failure("run", "stopped", executed_notebook.plain(str(self.stopped))))
        return Run(
            id=self.id,
            profile=self.begun.profile,
            started_at=self.begun.started_at,
            seconds=time.monotonic() - self.began,
            chapters=tuple(self.done),
            verdicts=tuple(sorted(self.verdicts, key=lambda verdict: order.index(verdict.claim))),
            failures=(*failures, *self.wrong),
        )


@dataclass
class _Found:
    """The result of a notebook.  nb: as executed, None when papermill did not get that far.  written: its file, None without one."""

    nb: Any = None
    written: Path | None = None


def _papermill(
    chapter: Chapter,
    out: Path,
    params: Mapping[str, object],
    announce: Announce,
    cell_timeout: float | None,
    found: _Found,
) -> None:
    """Execute one notebook into `out`; its result is in `found`, also when this raises."""
    target = out / chapter.path.name

    def on_end(nb: Any, unsaved: OSError | None) -> None:
        found.nb, found.written = nb, None if unsaved else target

    with announce(chapter.name) as say:
        papermill.execute_notebook(
            chapter.path,
            None,
            parameters=dict(params),
            engine_name="kit",
            progress_bar=False,
            cwd=chapter.path.parent,
            execution_timeout=cell_timeout,
            save_to=str(target),
            on_end=on_end,
            on_cell=lambda index, total: say(f"{chapter.name} cell {index + 1}/{total}"),
        )


def _judge(entry: ChapterRun, run_id: str) -> tuple[list[Verdict], list[Failure]]:
    """A verdict for each claim that the chapter measures, and the failures among them."""
    verdicts: list[Verdict] = []
    failures: list[Failure] = []
    for claim in claims.register():
        if claim.chapter == entry.chapter.name and claim.id in entry.chapter.claims:
            verdict, problem = _verdict(claim, run_id, entry)
            verdicts.append(verdict)
            if problem:
                failures.append(Failure(claim.chapter, "verdict", problem, claim=claim.id))
    return verdicts, failures


def _verdict(claim: claims.Claim, run_id: str, entry: ChapterRun) -> tuple[Verdict, str]:
    """The verdict, and its failure if there is one.  A stopped chapter is one failure of its own, and not one per claim."""
    if reason := rows.declined(claim.id, run_id):
        return unmeasurable(claim, reason), ""
    if entry.stopped and claim.id not in entry.judged:
        return without(claim, entry.stopped), ""
    measured = rows.load(claim.id, run=run_id)
    if measured.empty:
        return without(claim, "the chapter ran, and measured no rows"), "no rows measured"
    if rows.broke_off(claim.id, run_id):
        return without(claim, "its experiment broke off"), "its experiment broke off"
    try:
        verdict = claim.verdict(measured)
    except ClaimError as error:
        return without(claim, error.message), f"no verdict: {error.message}"
    if verdict.drift and claim.deterministic:
        return verdict, f"{verdict.label}, where the register expects {claim.expected}"
    return verdict, ""


def _make(out: Path) -> None:
    """Make the folder of the report.  A full disk is reported after the run, as the verdicts are shown all the same."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        if error.errno not in FULL:
            told = f"the report cannot be written to {out}: {error.strerror or error}"
            raise UsageError(told, hint="-o FOLDER, one that you may write to") from error


def _line(verdict: Verdict) -> str:
    return f"{verdict.label:17} {verdict.claim:14} {verdict.told}"


def _say(done: Run, folder: Path, shown: Collection[str]) -> None:
    """Print the verdicts that have not been shown, as this command's result is on stdout, and where the report is."""
    console.show([_line(verdict) for verdict in done.verdicts if verdict.claim not in shown])
    for failure in done.failures:
        console.say(f"✗ {failure.summary}")
    if done.unwritten:
        console.say(f"kit: the report could not be written to {done.unwritten}")
    else:
        console.say(f"report: {folder / 'index.html'}")


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
