"""Exercises of 4.1-logging: find the lines of requests, delete the lines with a key, and delete the logs of old days."""

from __future__ import annotations

from functools import partial

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.exercises.mended import Mended, absent
from kitlib.exercises.terminal import space
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref
from kitlib.measure.signals import lines, propagation
from kitlib.stacks import logs as stack
from kitlib.telemetry import polling
from kitlib.telemetry.logs import Logs, Query, matching
from kitlib.workloads import app

SPACE = "logging-exercises"
INSTALL = "logs = kit.stacks.logs.install(cluster)\n"
PATIENCE = 3.0  # seconds for a line in the log of its pod


class Fields(Mended):
    """Requests that can be found by path, status and service."""

    name = "4.1-logging/fields"
    namespace = SPACE
    asked = 3
    task = (
        f"`fields.yaml` runs the sample service as Deployment `fields` in the namespace `kit-{SPACE}`. The program writes no log line per "
        "request, and it has its default service name. Complete the file and apply it. The program must write one log line per request, "
        "with the fields `app.path` and `app.status`, and with the value `shop` in `app.service`. The check sends requests and looks for "
        "their lines in Elasticsearch."
    )
    hints = (
        f"`kubectl -n kit-{SPACE} logs deployment/fields` shows what the program writes. Two of its settings decide this: the lowest "
        "level that it logs, and its name.",
        "The line of a request has the level DEBUG. The section *Settings* of goapp/README.md lists all settings. Each is an environment "
        "variable that begins with `CATALOG_`.",
        "Add two entries to the list `env` of the container: `CATALOG_LOG_LEVEL` with the value `DEBUG`, and `CATALOG_NAME` with the value "
        "`shop`. Then run `kubectl apply -f fields.yaml`. Without the file, "
        f"`kubectl -n kit-{SPACE} set env deployment/fields NAME=VALUE` does the same.",
    )
    solution_text = f"""\
{space(SPACE)}\
sed -i '/^          env:$/r /dev/stdin' fields.yaml <<'YAML'
            - name: CATALOG_LOG_LEVEL
              value: "DEBUG"
            - name: CATALOG_NAME
              value: "shop"
YAML
kubectl apply -f fields.yaml
kubectl -n kit-{SPACE} rollout status deployment/fields --timeout=60s"""

    def prepare(self) -> None:
        """Also install the stack of the logs, as the chapter does."""
        super().prepare()
        stack.install(self.cluster)

    def judge(self, namespace: Namespace, _: Object) -> Outcome:
        """Send requests, and look for their lines: in the pod's log, and then in Elasticsearch, with path, status and service."""
        logs = stack.find(self.cluster)
        return self.settled(namespace, partial(self._asked, logs, namespace)) if logs else absent("logs")

    def _asked(self, logs: Logs, namespace: Namespace, pod: str) -> Outcome:
        for _request in range(self.asked):
            app.ask(namespace, pod, "/items")
        written = polling.settled(lambda: _requests(namespace, pod), enough=self.asked, patience=PATIENCE)
        if written < self.asked:
            return failed(
                f"{written} lines with path and status in the pod's log, for {self.asked} requests",
                look="the lowest level that goapp logs. goapp/README.md shows the level of the line of a request",
            )
        of = matching(namespace=namespace.name, pod=pod, app__path="/items", app__status=200)
        if (found := lines.settle(logs, of, self.asked)) < self.asked:
            return failed(
                f"{found} lines in Elasticsearch, of {written} in the pod's log",
                look="the way from the node to Elasticsearch: `logs.troubles()` lists its faults",
            )
        services = logs.terms("app.service", of)
        if set(services) != {"shop"}:
            return failed(f"app.service of these lines: {', '.join(services)}", look="the setting `name` of goapp")
        return passed(f"{found} lines of the service shop, with path and status")


def _requests(namespace: Namespace, pod: str) -> int:
    """How many requests the pod's own log has."""
    found = propagation.written(namespace, pod)
    return sum((line.get("path"), line.get("status")) == ("/items", 200) for line in found)


class Forget(Exercise):
    """Delete the log lines that contain a key."""

    name = "4.1-logging/forget"
    pod = "leaky"
    total, leaked = 20, 3
    word = "leakedkey"
    task = (
        '`kit.exercise("4.1-logging/forget").given()` starts a program that writes a key into some of its log lines. These lines '
        f"contain the word `{word}`. Delete them from Elasticsearch, and delete no other lines. Use `logs.search`, `logs.delete` "
        "and `kit.telemetry.logs.matching`."
    )
    hints = (
        "Run `.given()` first. It returns when Elasticsearch has the lines. Which lines have to go, and which query finds "
        "them and no others?",
        "Search first, with the query that you will use for the deletion: `logs.search(matching('WORD', namespace=…))`. "
        "It should find some of the lines, and not all of them.",
        f"Call `logs.delete(matching(…))`. Give `matching` the word of the task, and the namespace `kit-{SPACE}`.",
    )
    solution_text = (
        f"{INSTALL}"
        'kit.exercise("4.1-logging/forget").given()\n'
        f"logs.delete(kit.telemetry.logs.matching('{word}', namespace='kit-{SPACE}'))"
    )

    @property
    def query(self) -> Query:
        """All lines of the exercise's pod."""
        return matching(namespace=f"kit-{SPACE}", pod=self.pod)

    def given(self) -> None:
        """Start the program, and wait for its lines."""
        logs = stack.install(self.cluster)
        script = (
            f'for i in $(seq {self.total}); do echo "order $i served"; done | sed "1,{self.leaked}s/$/ {self.word}/"'
        )
        namespace = place.ensure(self.cluster, SPACE)
        namespace.apply(lines.pod(self.pod, self.cluster.image("alpine"), ["sh", "-c", script]))
        done = wait.phase("Succeeded")
        wait.until(self.cluster.kube, "Pod", self.pod, namespace.name, done=done, what="finished")
        lines.settle(logs, self.query, self.total)

    def check(self) -> Outcome:
        """Count the lines of the pod in Elasticsearch: none may contain the key, and all others must still exist."""
        logs = stack.find(self.cluster)
        if logs is None or self.cluster.kube.get("Pod", self.pod, f"kit-{SPACE}") is None:
            return NOT_ATTEMPTED
        with_key = logs.count(matching(self.word, namespace=f"kit-{SPACE}", pod=self.pod))
        others = logs.count(self.query) - with_key
        if with_key:
            return failed(
                f"{with_key} lines with the key", look="the lines that contain the word: `logs.delete` takes a query"
            )
        if others < self.total - self.leaked:
            lost = self.total - self.leaked - others
            return failed(
                f"0 lines with the key, but {lost} other lines are also gone",
                look="the query: does it ask for the word?",
            )
        return passed(f"0 lines with the key, and {others} other lines still exist")

    def reset(self) -> None:
        """Delete the pod's lines, then the pod."""
        kube = self.cluster.kube
        if logs := stack.find(self.cluster):
            logs.delete(self.query)
        if found := kube.get("Pod", self.pod, f"kit-{SPACE}"):
            kube.delete(Ref.of(found))
            wait.until(kube, "Pod", self.pod, f"kit-{SPACE}", done=wait.gone, what="gone")


class Retention(Exercise):
    """Delete the logs of old days, and keep those of recent days."""

    name = "4.1-logging/retention"
    days, ages = 7, (3, 10, 20)
    marker = "kit-retention-exercise"
    task = (
        f'`kit.exercise("4.1-logging/retention").given()` stores log lines of {len(ages)} past days, with one index per day. Keep the '
        f"logs of the last {days} days, and delete all older ones. `logs.indices()` lists the indices."
    )
    hints = (
        "Run `.given()` first. It creates the indices of the past days. How do their names differ?",
        "The name of an index contains its date. Delete the logs of a day by deleting its whole index. `logs.indices()` "
        "lists the indices that exist.",
        "Call `logs.retain(days=…)` with the number of days of the task. It deletes the daily indices that are older.",
    )
    solution_text = f'{INSTALL}kit.exercise("4.1-logging/retention").given()\nlogs.retain(days={days})'

    def given(self) -> None:
        """Store a line for each of the past days."""
        logs = stack.install(self.cluster)
        logs.ask("PUT", self.marker)
        for age, name in self._indices().items():
            line = {"@timestamp": (_today() - pd.Timedelta(days=age)).isoformat(), "message": f"{age} days ago"}
            logs.ask("PUT", f"{name}/_doc/1?refresh=true", line)

    def check(self) -> Outcome:
        """Look whether the indices that are too old are gone, and whether the newer ones still exist."""
        logs = stack.find(self.cluster)
        if logs is None or not self._begun(logs):
            return NOT_ATTEMPTED
        there = set(logs.indices()["index"])
        old = [name for age, name in self._indices().items() if age > self.days and name in there]
        young = [name for age, name in self._indices().items() if age <= self.days and name not in there]
        if old:
            return failed(
                f"these still exist, and are older than {self.days} days: {', '.join(old)}",
                look="`logs.retain(days=…)`: it deletes daily indices by the date in their names",
            )
        if young:
            return failed(
                f"these are gone, and are not older than {self.days} days: {', '.join(young)}",
                look="the number of days to keep",
            )
        return passed(f"these indices exist: {', '.join(sorted(there))}")

    def reset(self) -> None:
        """Delete the exercise's indices."""
        if logs := stack.find(self.cluster):
            for name in (self.marker, *self._indices().values()):
                logs.ask("DELETE", f"{name}?ignore_unavailable=true")

    def _begun(self, logs: Logs) -> bool:
        return bool(logs.ask("GET", f"_cat/indices/{self.marker}*?format=json"))

    def _indices(self) -> dict[int, str]:
        return {age: f"kit-logs-{_today() - pd.Timedelta(days=age):%Y.%m.%d}" for age in self.ages}


def _today() -> pd.Timestamp:
    return pd.Timestamp.now("UTC").normalize()
