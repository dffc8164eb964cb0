"""What chapters need (notebooks/chapters.yaml), made in their order: an engine, the cluster, images, and the images of stacks.

`./kit run` makes what a chapter needs just before it, `./kit prepare` makes everything, and `./kit lab` has that done beside JupyterLab.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence

from kitlib.errors import KitError
from kitlib.host import console, identity, preparation, turns
from kitlib.host.console import say
from kitlib.host.preparation import Preparation
from kitlib.learning import frame
from kitlib.runner.chapters import LAST

GIVEN = ("nothing", "go")  # Go is in the virtual environment
EVERYTHING = ("engine", "cluster")  # of a notebook that chapters.yaml does not have
OFTEN = 0.5  # seconds between two writes of the record, at least


class Needs:
    """Makes needs, each once."""

    def __init__(self) -> None:
        self.made = [*GIVEN]

    def make(self, wanted: Iterable[str]) -> None:
        """Make what has not been made yet, in the order given.  Raises KitError with the next step."""
        for need in wanted:
            if need not in self.made:
                _make(need)
                self.made.append(need)

    def within(self, wanted: Iterable[str]) -> bool:
        """Whether all of these have been made."""
        return set(wanted) <= set(self.made)


def needs(chapter: str) -> tuple[str, ...]:
    """What a chapter needs, by its name."""
    return _known().get(chapter, EVERYTHING)


def nothing_yet() -> bool:
    """Whether there is no cluster yet; a record that cannot be read is left to the step that needs the cluster."""
    try:
        return identity.load() is None
    except KitError:
        return False


def waits(chapter: str) -> bool:
    """Whether a chapter has to wait for others or for what it needs, on a machine where nothing is ready: the last one, and most."""
    return chapter == LAST or bool(set(needs(chapter)) - set(GIVEN))


def run(chapters: Sequence[str]) -> int:
    """`./kit prepare`: make what these chapters need, while no experiment runs.  Returns 0, or raises KitError with the next step."""
    with preparation.alone(), turns.building() as builder:
        record = Record([needs(name) for name in chapters], builder)
        builder.told = record.paused
        began = time.monotonic()
        with console.heard(record):
            record.work()
    say(f"{_count(len(chapters))} ready after {time.monotonic() - began:.0f} s")
    return 0


class Record:
    """Makes the needs of chapters, and keeps the record that kernels read.  A step begins when no experiment runs."""

    def __init__(self, chapters: Sequence[Sequence[str]], builder: turns.Builder) -> None:
        self._chapters, self._builder = chapters, builder
        self._needs = Needs()
        self._standing = ["cluster"] if _stands() else []  # no cell waits for what `up` has yet to confirm
        self._steps: list[tuple[str, float]] = []
        self._saved = 0.0
        self._lock = threading.Lock()  # another thread notes a pause
        self.state = Preparation(chapters=(0, len(chapters)), since=time.time())

    def work(self) -> None:
        """Make everything.  Raises KitError, which the record has as well."""
        self._save()
        try:
            for wanted in self._chapters:
                for need in wanted:
                    self._needs.make([need])
                    self._save()
        except BaseException as e:
            told = e.message if isinstance(e, KitError) else "it was ended"
            self.state.failed = told if not isinstance(e, KitError) or not e.hint else f"{told} (next: {e.hint})"
            raise
        finally:
            self._save()

    def began(self, what: str) -> None:
        """A step of the console begins: in its turn."""
        self._builder.give_way()
        self._steps.append((what, time.time()))
        self._save(what)

    def said(self, line: str) -> None:
        """The step has printed a line."""
        if self._steps and time.monotonic() - self._saved > OFTEN:
            self._save(f"{self._steps[-1][0]}: {line.strip()[:120]}")

    def ended(self) -> None:
        """The step has ended, and the one around it goes on."""
        self._steps = self._steps[:-1]
        self._save(self._steps[-1][0] if self._steps else "")

    def paused(self, now: bool) -> None:
        """It begins to wait for an experiment, or goes on."""
        with self._lock:
            self.state.paused = now
            self.state.save()

    def _save(self, now: str = "") -> None:
        state, self._saved = self.state, time.monotonic()
        with self._lock:
            state.ready = list(dict.fromkeys([*self._needs.made, *self._standing]))
            state.chapters = (sum(map(self._needs.within, self._chapters)), len(self._chapters))
            state.now = now
            state.since = self._steps[-1][1] if self._steps else time.time()
            state.save()


def _make(need: str) -> None:
    kind, _, name = need.partition(" ")
    from kitlib.cluster import lifecycle

    if kind == "engine":
        lifecycle.engine()
    elif kind == "cluster":
        lifecycle.up(images=())
    else:
        _images([name] if kind == "image" else _stack(name))


def _stands() -> bool:
    """Whether the cluster was proved ready before, and answers."""
    from kitlib.cluster import bound

    try:
        record = identity.load()
        return bool(record and record.proved and bound.bind())
    except KitError:
        return False


def _images(names: Iterable[str]) -> None:
    from kitlib.engine import client
    from kitlib.supply import builder

    builder.ensure(client.current(), names)


def _stack(name: str) -> list[str]:
    """The images of a stack."""
    from kitlib.stacks import catalogue

    return [image for part in catalogue.CATALOGUE[name].parts for image in part.images]


def _known() -> Mapping[str, tuple[str, ...]]:
    return {it.name: it.needs for it in frame.frames()}


def _count(chapters: int) -> str:
    return "what the chapter needs is" if chapters == 1 else f"what the {chapters} chapters need is"
