"""Exercises of 4.5-one-request: a fault that nobody names, two that hide each other, one request among many."""

from __future__ import annotations

import hashlib
import secrets
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor

from kitlib import app
from kitlib.cluster import Space
from kitlib.errors import ExerciseError
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.gameday import chains, faults
from kitlib.measure import lines
from kitlib.stacks import signals as stack
from kitlib.stacks.signals import Signals
from kitlib.telemetry.logs import matching

CHAPTER = "4.5-one-request"
ANSWER, ENVELOPE = "answer", "envelope"  # ConfigMaps
CUSTOMERS = 1800  # seconds for which there is load, while somebody looks
LASTING = tuple(fault for fault in faults.ALL if fault.name != "leak")  # a leak ends by itself, with its process
CONFESSION = "fault injected"  # goapp's own line, which a real fault does not write


class _Played(Exercise):
    """An exercise in a chain of its own; its answer, if it has one, is kept in the chain's namespace."""

    first_hint = "`.given()` first: it starts a chain of its own, and what is wrong with it."

    @property
    def prefix(self) -> str:
        """How the names of its namespaces begin: each chain has a new one, so that no signal of an earlier one is taken for its own."""
        return chains.space_name(f"exercise-{self.name.rpartition('/')[2]}-")

    @property
    def space(self) -> Space | None:
        """The chain's namespace, if it is there."""
        names = [found["metadata"]["name"].removeprefix("kit-") for found in self.cluster.kube.list("Namespace")]
        mine = [name for name in names if name.startswith(self.prefix)]
        return Space.find(self.cluster, mine[0]) if mine else None

    def given(self) -> Space:
        """Install the stacks, start a chain anew, and let go wrong what does; returns its namespace."""
        self.reset()
        name = f"{self.prefix.removeprefix(chains.PREFIX)}{secrets.token_hex(2)}"
        with ThreadPoolExecutor() as pool:
            stacks = pool.submit(stack.install, self.cluster)
            space = chains.apply(self.cluster, [name])[name]
            stacks.result()
        chains.ready([space])
        self.break_it(space)
        return space

    @property
    def signals(self) -> Signals:
        """The stacks' clients.  Raises ExerciseError when they were removed."""
        found = stack.find(self.cluster)
        if found is None:
            raise ExerciseError("the stacks are not there any more", hint="`.given()` installs them")
        return found

    @abstractmethod
    def break_it(self, space: Space) -> None:
        """What goes wrong in a chain that is ready."""

    def answer(self, value: str) -> None:
        """Hand in an answer; a later one takes its place.  Raises ExerciseError before `.given()`."""
        if self.space is None:
            raise ExerciseError(f"there is nothing to answer yet in {self.name}", hint="`.given()` first")
        self.space.apply(_config(ANSWER, {"value": value}))

    def kept(self, name: str) -> dict[str, str]:
        """What a ConfigMap of the chain's namespace holds; {} without one."""
        found = self.space and self.cluster.kube.get("ConfigMap", name, self.space.name)
        return dict(found.get("data", {})) if found else {}

    def reset(self) -> None:
        if self.space:
            self.space.undo()


class Blind(_Played):
    """The kit picks a fault, and does not say which."""

    name = f"{CHAPTER}/blind"
    task = (
        f'`exercise = kit.exercise("{CHAPTER}/blind")`, then `space = exercise.given()`: a chain under load, and one fault, picked at '
        "random and told to nobody. Wait for the alerts (`metrics.deliveries()`), follow one of them, name the fault with "
        f"`exercise.answer(name)`, and repair it. The suspects: {', '.join(f'`{fault.name}`' for fault in LASTING)} "
        "(`kitlib.gameday.faults.ALL` has them in words)."
    )
    solution_text = (
        "from kitlib.gameday import detective\n"
        "from kitlib.stacks import signals\n\n"
        f'exercise = kit.exercise("{CHAPTER}/blind")\n'
        "space = exercise.given()\n"
        "fault, trail = detective.find(space, signals.find(cluster))\n"
        "exercise.answer(fault.name)\n"
        "fault.repair(space)"
    )

    def break_it(self, space: Space) -> None:
        """The name of what was picked is kept as a salted hash only: an envelope that opens for who knows it."""
        fault, salt = secrets.choice(LASTING), secrets.token_hex(8)
        chains.load(space, CUSTOMERS)
        space.apply(_config(ENVELOPE, {"salt": salt, "seal": _seal(salt, fault.name)}))
        fault.inject(space)
        self._hush(space, fault)

    def _hush(self, space: Space, fault: faults.Fault) -> None:
        """goapp says in its log what was injected into it; that line is taken out."""
        if isinstance(fault.cause, faults.Program):
            confession = matching(CONFESSION, namespace=space.name)
            lines.settle(self.signals.logs, confession, 1, patience=8)
            self.signals.logs.delete(confession)

    def check(self) -> Outcome:
        said, envelope = self.kept(ANSWER).get("value"), self.kept(ENVELOPE)
        if self.space is None or said is None or not envelope:
            return NOT_ATTEMPTED
        if _seal(envelope["salt"], said) != envelope["seal"]:
            return failed(
                f"the answer is {said!r}, and the envelope says another name",
                *self._delivered(),
                look="follow an alert: its exemplar's trace, the deepest span with an error or the most time of its own, its lines; "
                "or what the alert itself names",
            )
        fault = faults.named(said)
        wrong = chains.settled(self.space)
        if wrong or fault.present(self.space):
            return failed(
                f"it is {said!r}, and it is still there" if fault.present(self.space) else "the fault is gone",
                *wrong,
                look=f"the runbook: kitlib.gameday.runbook.section({fault.alert!r})",
            )
        return passed(f"it was {said!r}: {fault.words}", f"{chains.ASKED} of {chains.ASKED} requests are good")

    def _delivered(self) -> list[str]:
        """The alerts about the chain, so far."""
        assert self.space is not None  # the chain was given
        found = self.signals.metrics.deliveries()
        mine = found[(found["namespace"] == self.space.name) & (found["status"] == "firing")]
        return [f"delivered: {it.alert}: {it.summary}" for it in mine.drop_duplicates("summary").itertuples()] or [
            "no alert has been delivered yet"
        ]


class Hidden(_Played):
    """Two faults, one of which hides the other."""

    name = f"{CHAPTER}/hidden"
    outer, inner = faults.named("selector"), faults.named("errors")
    task = (
        f'`space = kit.exercise("{CHAPTER}/hidden").given()`: no customer gets an answer. Repair the chain until every one does. '
        "What is found first need not be all."
    )
    solution_text = (
        "from kitlib.gameday import faults\n\n"
        f'space = kit.exercise("{CHAPTER}/hidden").given()\n'
        'faults.named("selector").repair(space)\n'
        'faults.named("errors").repair(space)'
    )

    def break_it(self, space: Space) -> None:
        self.outer.inject(space)
        self.inner.inject(space)
        chains.load(space, CUSTOMERS)

    def check(self) -> Outcome:
        if self.space is None:
            return NOT_ATTEMPTED
        outer, inner = self.outer.present(self.space), self.inner.present(self.space)
        if outer and inner:
            return NOT_ATTEMPTED
        wrong = chains.settled(self.space)
        if outer or not chains.selected(self.space, self.outer.service):
            return failed(
                *(wrong or [f"{self.outer.words}"]),
                look="the Service of the gateway: which labels do its pods have, and which does it ask for?",
            )
        if wrong or inner:
            return failed(
                *(wrong or [f"{self.inner.words}"]),
                look="a failed request: take its trace, and look for the deepest span with an error",
            )
        return passed(f"{chains.ASKED} of {chains.ASKED} requests are good", "every Service selects a pod")


class Request(_Played):
    """One request among many."""

    name = f"{CHAPTER}/request"
    total, bad = 20, 12
    task = (
        f'`exercise = kit.exercise("{CHAPTER}/request")`, then `space = exercise.given()`: {total} requests are sent, and one of them '
        "failed in the backend. Which? Hand in its trace's id with `exercise.answer(trace_id)`."
    )
    solution_text = (
        "from kitlib.stacks import signals\n"
        "from kitlib.telemetry.logs import matching\n\n"
        f'exercise = kit.exercise("{CHAPTER}/request")\n'
        "space = exercise.given()\n"
        "failed = matching(namespace=space.name, app__service='backend', app__status=500)\n"
        "exercise.answer(signals.find(cluster).logs.search(failed)['trace_id'].squeeze())"
    )

    def break_it(self, space: Space) -> None:
        (entry,), (backend,) = app.pods(space, "gateway"), app.pods(space, "backend")
        for number in range(1, self.total + 1):
            if number == self.bad:
                app.inject(space, backend, "error", rate=1)
            app.ask(space, entry, "/items")
            if number == self.bad:
                app.heal(space, backend, "error")
        lines.settle(self.signals.logs, matching(namespace=space.name, app__path="/items"), self.total * len(app.CHAIN))

    def check(self) -> Outcome:
        said = self.kept(ANSWER).get("value")
        if self.space is None or said is None:
            return NOT_ATTEMPTED
        found = self.signals.logs.terms(
            "app.status", matching(namespace=self.space.name, trace_id=said or "-", app__service="backend")
        )
        if not found:
            return failed(
                f"no line of the backend has the trace {said!r}",
                look="the field `trace_id` of the backend's lines: 32 letters",
            )
        if set(found) != {"500"}:
            return failed(
                f"the backend answered this one with {', '.join(found)}",
                look="the field `app.status` of the backend's lines",
            )
        return passed(f"the backend answered {said} with 500")


def _seal(salt: str, name: str) -> str:
    return hashlib.sha256(f"{salt} {name}".encode()).hexdigest()


def _config(name: str, data: dict[str, str]) -> dict[str, object]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "exercise"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": data}
