"""Exercises of 4.5-one-request: an unknown fault, a fault that hides another one, and one failed request among many."""

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
CHAIN = chains.namespace_name("exercise-hidden-")
# Commands for a terminal: the name of the chain's namespace, and the repair of each fault.
HIDDEN = f"NAMESPACE=$(kubectl get namespaces -o name | sed -n 's:^namespace/\\(kit-{CHAIN}.*\\):\\1:p')\n"
SELECT = """\
kubectl -n "$NAMESPACE" patch service gateway --type=merge -p '{"spec": {"selector": {"app.kubernetes.io/component": null}}}'
"""
RESTART = """\
kubectl -n "$NAMESPACE" rollout restart deployment/backend
kubectl -n "$NAMESPACE" rollout status deployment/backend --timeout=60s"""


class _Played(Exercise):
    """An exercise in its own chain of services; its answer, if it has one, is kept in the chain's namespace."""

    @property
    def prefix(self) -> str:
        """The prefix of its namespaces: each chain gets a new name, so that the signals of an earlier chain are not mixed with its own."""
        return chains.namespace_name(f"exercise-{self.name.rpartition('/')[2]}-")

    @property
    def namespace(self) -> Namespace | None:
        """The chain's namespace; None if there is none."""
        names = [found["metadata"]["name"].removeprefix("kit-") for found in self.cluster.kube.list("Namespace")]
        mine = [name for name in names if name.startswith(self.prefix)]
        return Namespace.find(self.cluster, mine[0]) if mine else None

    def given(self) -> Namespace:
        """Install the stacks, start a new chain, and inject the faults; returns its namespace."""
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
            raise ExerciseError("the stacks were removed", hint="`.given()` installs them")
        return found

    @abstractmethod
    def break_it(self, namespace: Namespace) -> None:
        """Inject the faults into a chain that is ready."""

    def answer(self, value: str) -> None:
        """Hand in an answer; a later one replaces it.  Raises ExerciseError before `.given()`."""
        if self.namespace is None:
            raise ExerciseError(f"the exercise {self.name} has not started yet", hint="run `.given()` first")
        self.namespace.apply(_config(ANSWER, {"value": value}))

    def kept(self, name: str) -> dict[str, str]:
        """The data of a ConfigMap in the chain's namespace; {} if there is none."""
        found = self.namespace and self.cluster.kube.get("ConfigMap", name, self.namespace.name)
        return dict(found.get("data", {})) if found else {}

    def reset(self) -> None:
        """Remove the chain's namespace."""
        if self.namespace:
            self.namespace.undo()


class Blind(_Played):
    """Find the fault that the kit picked at random."""

    name = f"{CHAPTER}/blind"
    task = (
        f'Run `exercise = kit.exercise("{CHAPTER}/blind")`, then `namespace = exercise.given()`. It starts a chain under load, with one '
        "fault that the kit picks at random and does not show. Wait for the alerts (`metrics.deliveries()`), and follow one of them. "
        f"Name the fault with `exercise.answer(name)`, and repair it. Only one answer counts. "
        f"The possible faults: {', '.join(f'`{fault.name}`' for fault in LASTING)} "
        "(`kit.gameday.faults.ALL` describes them)."
    )
    hints = (
        "Run `.given()` first. It starts a new chain and injects a fault. Then wait for an alert. Which service or object "
        "does it name?",
        "From the alert, go to the trace of its exemplar. In the trace, find the deepest span with an error, or the span "
        "with the largest own time. Then read the log lines of its service. An alert without a trace names the object "
        "itself.",
        "`kit.gameday.runbook.section(ALERT)` shows what to look at for an alert. "
        "`kit.gameday.detective.find(namespace, kit.stacks.signals.find(cluster))` does all steps, and returns the fault "
        "and the trail. Hand in the name of the fault, then call `.repair(namespace)` of the fault.",
    )
    solution_text = (
        f'exercise = kit.exercise("{CHAPTER}/blind")\n'
        "namespace = exercise.given()\n"
        "fault, trail = kit.gameday.detective.find(namespace, kit.stacks.signals.find(cluster))\n"
        "exercise.answer(fault.name)\n"
        "fault.repair(namespace)"
    )

    def break_it(self, namespace: Namespace) -> None:
        """Pick a fault, store its name as a keyed hash, and inject it.

        The key is outside the cluster, so that hashes of all names do not reveal the picked one.
        """
        fault, salt = secrets.choice(LASTING), secrets.token_hex(8)
        chains.load(namespace, CUSTOMERS)
        namespace.apply(_config(ENVELOPE, {"salt": salt, "seal": seal(self._key, salt, fault.name)}))
        fault.inject(namespace)
        self._hush(namespace, fault)

    def _hush(self, namespace: Namespace, fault: faults.Fault) -> None:
        """Delete the log line in which goapp reports the injected fault."""
        if isinstance(fault.cause, faults.Program):
            confession = matching(CONFESSION, namespace=namespace.name)
            lines.settle(self.signals.logs, confession, 1, patience=8)
            self.signals.logs.delete(confession)

    @property
    def _key(self) -> bytes:
        """The key of the hashes, in the cluster's folder on this machine; created at its first use."""
        file = identity.home(self.cluster.identity.cluster) / "envelope.key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(16))
        return file.read_bytes()

    def answer(self, value: str) -> None:
        """Hand in the answer; of two different answers, none counts.  Raises ExerciseError before `.given()`."""
        super().answer("\n".join(dict.fromkeys([*self._answers(), value])))

    def _answers(self) -> list[str]:
        return self.kept(ANSWER).get("value", "").split("\n") if self.namespace and self.kept(ANSWER) else []

    def check(self) -> Outcome:
        """Look whether there is exactly one answer, whether it is the picked fault, and whether the chain is repaired."""
        answers, envelope = self._answers(), self.kept(ENVELOPE)
        if self.namespace is None or not answers or not envelope:
            return NOT_ATTEMPTED
        if len(answers) > 1:
            return failed(
                f"there are {len(answers)} answers: {', '.join(answers)}",
                look="the trail of an alert: it leads to one answer, and only one answer counts; `.given()` starts a new round",
            )
        (said,) = answers
        if seal(self._key, envelope["salt"], said) != envelope["seal"]:
            return failed(
                f"the answer is {said!r}, but the kit picked another fault",
                *self._delivered(),
                look="an alert and its trace: the deepest span with an error or the largest own time, then the lines of its service; "
                "an alert without a trace names the object itself",
            )
        fault = faults.named(said)
        wrong = chains.settled(self.namespace)
        if wrong or fault.present(self.namespace):
            return failed(
                f"{said!r} is right, but not repaired yet" if fault.present(self.namespace) else "the fault is gone",
                *wrong,
                look=f"the runbook: kit.gameday.runbook.section({fault.alert!r})",
            )
        return passed(f"the fault was {said!r}: {fault.words}", f"{chains.ASKED} of {chains.ASKED} requests are good")

    def _delivered(self) -> list[str]:
        """The alerts about the chain that were delivered so far."""
        assert self.namespace is not None  # the chain was given
        found = self.signals.metrics.deliveries()
        mine = found[(found["namespace"] == self.namespace.name) & (found["status"] == "firing")]
        return [f"delivered: {it.alert}: {it.summary}" for it in mine.drop_duplicates("summary").itertuples()] or [
            "no alert has been delivered yet"
        ]


class Hidden(_Played):
    """Two faults, one of which hides the other."""

    name = f"{CHAPTER}/hidden"
    language = "bash"
    outer, inner = faults.named("selector"), faults.named("errors")
    task = (
        f'`kit.exercise("{CHAPTER}/hidden").given()` in a cell starts a chain in which no request succeeds. Repair the chain with '
        "`kubectl`, until every request succeeds. The first fault that you find may not be the only one."
    )
    hints = (
        "Run `.given()` first. It starts a new chain and injects what is wrong. `kubectl get namespaces` shows its namespace, which begins "
        f"with `kit-{CHAIN}`. No request succeeds. How far does a request get?",
        "The Service of the gateway leads to no pod. `kubectl -n NAMESPACE describe service gateway` shows the labels in its selector, and "
        "`kubectl -n NAMESPACE get pods --show-labels` those of the pods. When requests arrive again, look at the trace of a request that "
        "fails.",
        "There are two faults. The selector asks for a value of the label `app.kubernetes.io/component` that no pod has. Remove this label "
        "from it with `kubectl edit` or `kubectl patch`. The backend also answers half of its requests with errors. This fault is in the "
        "process, so it ends with `kubectl -n NAMESPACE rollout restart deployment/backend`.",
    )
    solution_text = f"""\
# after `.given()` in a cell
{HIDDEN}\
kubectl -n "$NAMESPACE" get service gateway -o yaml
kubectl -n "$NAMESPACE" get pods --show-labels
{SELECT}\
kubectl -n "$NAMESPACE" get endpointslices
kubectl -n "$NAMESPACE" logs deployment/backend --tail=20
{RESTART}"""

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
                look="the Service of the gateway: which labels do its pods have, and which are in its selector?",
            )
        if wrong or inner:
            return failed(
                *(wrong or [f"{self.inner.words}"]),
                look="the trace of a failed request: which is the deepest span with an error?",
            )
        return passed(f"{chains.ASKED} of {chains.ASKED} requests are good", "every Service selects a pod")


class Request(_Played):
    """Find one failed request among many."""

    name = f"{CHAPTER}/request"
    total, bad = 20, 12
    task = (
        f'Run `exercise = kit.exercise("{CHAPTER}/request")`, then `namespace = exercise.given()`. It sends {total} requests, and one of '
        "them fails in the backend. Find this request, and hand in the id of its trace with `exercise.answer(trace_id)`."
    )
    hints = (
        "Run `.given()` first. It sends the requests. The backend writes a log line for each request that reaches it. What "
        "is different in the line of the failed one?",
        "The log lines of the backend have the fields `app.status` and `trace_id`. Only one of these lines has the status "
        "500.",
        "Search in `kit.stacks.signals.find(cluster).logs` with the query "
        "`kit.telemetry.logs.matching(namespace=namespace.name, app__service='backend', app__status=500)`. Hand in the "
        "`trace_id` of the line that it finds.",
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
                f"no log line of the backend has the trace id {said!r}",
                look="the field `trace_id` of the backend's log lines: it has 32 hexadecimal digits",
            )
        if set(found) != {"500"}:
            return failed(
                f"the backend answered this request with {', '.join(found)}",
                look="the field `app.status` of the backend's log lines",
            )
        return passed(f"the backend answered {said} with 500")


def seal(key: bytes, salt: str, name: str) -> str:
    """A keyed hash of a name: it can be neither computed nor compared without the key."""
    return hmac.digest(key, f"{salt} {name}".encode(), "sha256").hex()


def _config(name: str, data: dict[str, str]) -> dict[str, object]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "exercise"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": data}
