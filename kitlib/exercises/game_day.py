"""Exercises of 4.5-one-request: a fault without a name, two that hide each other, one request among many."""

from __future__ import annotations

import hmac
import secrets
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor

from kitlib.cluster.bound import Namespace
from kitlib.errors import ExerciseError
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.gameday import chains, faults
from kitlib.host import identity
from kitlib.measure.signals import lines
from kitlib.stacks import signals as stack
from kitlib.stacks.signals import Signals
from kitlib.telemetry.logs import matching
from kitlib.workloads import app

CHAPTER = "4.5-one-request"
ANSWER, ENVELOPE = "answer", "envelope"  # ConfigMaps
CUSTOMERS = 1800  # seconds for which there is load, while you look
LASTING = tuple(fault for fault in faults.ALL if fault.name != "leak")  # a leak ends by itself, with its process
CONFESSION = "fault injected"  # goapp's own line, which a real fault does not write


class _Played(Exercise):
    """An exercise in a chain of its own; its answer, if it has one, is kept in the chain's namespace."""

    @property
    def prefix(self) -> str:
        """How the names of its namespaces begin: each chain has a new one, so that no signal of an earlier one is taken for its own."""
        return chains.namespace_name(f"exercise-{self.name.rpartition('/')[2]}-")

    @property
    def namespace(self) -> Namespace | None:
        """The chain's namespace, if it is there."""
        names = [found["metadata"]["name"].removeprefix("kit-") for found in self.cluster.kube.list("Namespace")]
        mine = [name for name in names if name.startswith(self.prefix)]
        return Namespace.find(self.cluster, mine[0]) if mine else None

    def given(self) -> Namespace:
        """Install the stacks, start a chain anew, and let go wrong what does; returns its namespace."""
        self.reset()
        name = f"{self.prefix.removeprefix(chains.PREFIX)}{secrets.token_hex(2)}"
        with ThreadPoolExecutor() as pool:
            stacks = pool.submit(stack.install, self.cluster)
            namespace = chains.apply(self.cluster, [name])[name]
            stacks.result()
        chains.ready([namespace])
        self.break_it(namespace)
        return namespace

    @property
    def signals(self) -> Signals:
        """The stacks' clients.  Raises ExerciseError when they were removed."""
        found = stack.find(self.cluster)
        if found is None:
            raise ExerciseError("the stacks are not there any more", hint="`.given()` installs them")
        return found

    @abstractmethod
    def break_it(self, namespace: Namespace) -> None:
        """What goes wrong in a chain that is ready."""

    def answer(self, value: str) -> None:
        """Hand in an answer; a later one takes its place.  Raises ExerciseError before `.given()`."""
        if self.namespace is None:
            raise ExerciseError(f"there is nothing to answer yet in {self.name}", hint="`.given()` first")
        self.namespace.apply(_config(ANSWER, {"value": value}))

    def kept(self, name: str) -> dict[str, str]:
        """What a ConfigMap of the chain's namespace holds; {} without one."""
        found = self.namespace and self.cluster.kube.get("ConfigMap", name, self.namespace.name)
        return dict(found.get("data", {})) if found else {}

    def reset(self) -> None:
        """Remove the chain's namespace."""
        if self.namespace:
            self.namespace.undo()


class Blind(_Played):
    """The kit picks a fault, and does not say which."""

    name = f"{CHAPTER}/blind"
    task = (
        f'`exercise = kit.exercise("{CHAPTER}/blind")`, then `namespace = exercise.given()`: a chain under load, and one fault, picked at '
        "random and told to nobody. Wait for the alerts (`metrics.deliveries()`), follow one of them, name the fault with "
        f"`exercise.answer(name)`, and repair it. Only one answer counts. "
        f"The suspects: {', '.join(f'`{fault.name}`' for fault in LASTING)} "
        "(`kit.gameday.faults.ALL` has them in words)."
    )
    hints = (
        "`.given()` first: it starts a chain of its own, and what is wrong with it. Then wait for an alert: what does "
        "it name?",
        "From the alert, go to the exemplar's trace; in it, to the deepest span with an error or the most time of its "
        "own; from there to the lines of that service. An alert without a trace names the object itself.",
        "`kit.gameday.runbook.section(ALERT)` says what to look at for each alert; "
        "`kit.gameday.detective.find(namespace, signals.find(cluster))` goes the whole way. Hand in the name, then "
        "call `.repair(namespace)` of that fault.",
    )
    solution_text = (
        f'exercise = kit.exercise("{CHAPTER}/blind")\n'
        "namespace = exercise.given()\n"
        "fault, trail = kit.gameday.detective.find(namespace, kit.stacks.signals.find(cluster))\n"
        "exercise.answer(fault.name)\n"
        "fault.repair(namespace)"
    )

    def break_it(self, namespace: Namespace) -> None:
        """The name of the picked fault is kept as a hash with a key from outside the cluster: hashes of all names do not open it."""
        fault, salt = secrets.choice(LASTING), secrets.token_hex(8)
        chains.load(namespace, CUSTOMERS)
        namespace.apply(_config(ENVELOPE, {"salt": salt, "seal": seal(self._key, salt, fault.name)}))
        fault.inject(namespace)
        self._hush(namespace, fault)

    def _hush(self, namespace: Namespace, fault: faults.Fault) -> None:
        """goapp says in its log what was injected into it; that line is taken out."""
        if isinstance(fault.cause, faults.Program):
            confession = matching(CONFESSION, namespace=namespace.name)
            lines.settle(self.signals.logs, confession, 1, patience=8)
            self.signals.logs.delete(confession)

    @property
    def _key(self) -> bytes:
        """Of the envelopes, in the cluster's folder on this machine; made when it is first asked for."""
        file = identity.home(self.cluster.identity.cluster) / "envelope.key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(16))
        return file.read_bytes()

    def answer(self, value: str) -> None:
        """Hand in the answer; a second one, if it is another name, spoils both.  Raises ExerciseError before `.given()`."""
        super().answer("\n".join(dict.fromkeys([*self._answers(), value])))

    def _answers(self) -> list[str]:
        return self.kept(ANSWER).get("value", "").split("\n") if self.namespace and self.kept(ANSWER) else []

    def check(self) -> Outcome:
        """Look whether there is exactly one answer, it is the name in the envelope, and the chain is repaired."""
        answers, envelope = self._answers(), self.kept(ENVELOPE)
        if self.namespace is None or not answers or not envelope:
            return NOT_ATTEMPTED
        if len(answers) > 1:
            return failed(
                f"there are {len(answers)} answers: {', '.join(answers)}",
                look="one answer counts, and it follows from the trail; `.given()` begins a new round",
            )
        (said,) = answers
        if seal(self._key, envelope["salt"], said) != envelope["seal"]:
            return failed(
                f"the answer is {said!r}, and the envelope says another name",
                *self._delivered(),
                look="follow an alert: its exemplar's trace, the deepest span with an error or the most time of its own, its lines; "
                "or what the alert itself names",
            )
        fault = faults.named(said)
        wrong = chains.settled(self.namespace)
        if wrong or fault.present(self.namespace):
            return failed(
                f"it is {said!r}, and it is still there" if fault.present(self.namespace) else "the fault is gone",
                *wrong,
                look=f"the runbook: kit.gameday.runbook.section({fault.alert!r})",
            )
        return passed(f"it was {said!r}: {fault.words}", f"{chains.ASKED} of {chains.ASKED} requests are good")

    def _delivered(self) -> list[str]:
        """The alerts about the chain, so far."""
        assert self.namespace is not None  # the chain was given
        found = self.signals.metrics.deliveries()
        mine = found[(found["namespace"] == self.namespace.name) & (found["status"] == "firing")]
        return [f"delivered: {it.alert}: {it.summary}" for it in mine.drop_duplicates("summary").itertuples()] or [
            "no alert has been delivered yet"
        ]


class Hidden(_Played):
    """Two faults, one of which hides the other."""

    name = f"{CHAPTER}/hidden"
    outer, inner = faults.named("selector"), faults.named("errors")
    task = (
        f'`namespace = kit.exercise("{CHAPTER}/hidden").given()`: no customer gets an answer. Repair the chain until every one does. '
        "What is found first need not be all."
    )
    hints = (
        "`.given()` first: it starts a chain of its own, and what is wrong with it. No request gets through: how far "
        "does one get?",
        "The Service of the gateway leads nowhere: compare the labels that it asks for with those of the pods. Then ask "
        "again, and look at the trace of a request that fails.",
        "There are two faults: `faults.named('selector')` and `faults.named('errors')` of `kit.gameday`; each has a "
        "`.repair(namespace)`.",
    )
    solution_text = (
        f'namespace = kit.exercise("{CHAPTER}/hidden").given()\n'
        'kit.gameday.faults.named("selector").repair(namespace)\n'
        'kit.gameday.faults.named("errors").repair(namespace)'
    )

    def break_it(self, namespace: Namespace) -> None:
        """Inject both faults, then start the load."""
        self.outer.inject(namespace)
        self.inner.inject(namespace)
        chains.load(namespace, CUSTOMERS)

    def check(self) -> Outcome:
        """Look whether both faults are gone, and the chain answers its requests again."""
        if self.namespace is None:
            return NOT_ATTEMPTED
        outer, inner = self.outer.present(self.namespace), self.inner.present(self.namespace)
        if outer and inner:
            return NOT_ATTEMPTED
        wrong = chains.settled(self.namespace)
        if outer or not chains.selected(self.namespace, self.outer.service):
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
        f'`exercise = kit.exercise("{CHAPTER}/request")`, then `namespace = exercise.given()`: {total} requests are sent, and one of them '
        "failed in the backend. Which? Hand in its trace's id with `exercise.answer(trace_id)`."
    )
    hints = (
        "`.given()` first: it sends the requests. A request that failed in the backend has left a line there. What does "
        "the line say?",
        "The lines of the backend have the fields `app.status` and `trace_id`. Only one of them has the status 500.",
        "Search for `matching(namespace=namespace.name, app__service='backend', app__status=500)` in "
        "`signals.find(cluster).logs`, and hand in its `trace_id`.",
    )
    solution_text = (
        f'exercise = kit.exercise("{CHAPTER}/request")\n'
        "namespace = exercise.given()\n"
        "failed = kit.telemetry.logs.matching(namespace=namespace.name, app__service='backend', app__status=500)\n"
        "exercise.answer(kit.stacks.signals.find(cluster).logs.search(failed)['trace_id'].squeeze())"
    )

    def break_it(self, namespace: Namespace) -> None:
        """Send the requests, one of them while the backend fails, and wait for their log lines."""
        (entry,), (backend,) = app.pods(namespace, "gateway"), app.pods(namespace, "backend")
        for number in range(1, self.total + 1):
            if number == self.bad:
                app.inject(namespace, backend, "error", rate=1)
            app.ask(namespace, entry, "/items")
            if number == self.bad:
                app.heal(namespace, backend, "error")
        lines.settle(
            self.signals.logs, matching(namespace=namespace.name, app__path="/items"), self.total * len(app.CHAIN)
        )

    def check(self) -> Outcome:
        """Look up the trace id in the backend's log lines: the backend must have answered that request with 500."""
        said = self.kept(ANSWER).get("value")
        if self.namespace is None or said is None:
            return NOT_ATTEMPTED
        found = self.signals.logs.terms(
            "app.status", matching(namespace=self.namespace.name, trace_id=said or "-", app__service="backend")
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


def seal(key: bytes, salt: str, name: str) -> str:
    """A hash of a name that can be neither computed nor compared without the key."""
    return hmac.digest(key, f"{salt} {name}".encode(), "sha256").hex()


def _config(name: str, data: dict[str, str]) -> dict[str, object]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "exercise"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": data}
