"""Exercises in one namespace, which the learner creates with any tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kitlib.cluster import podproxy
from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError, WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.terminal import TerminalExercise
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.telemetry import polling

SECONDS = 15
ANSWER_SECONDS = 5  # a program without a readiness probe counts as ready before it listens


class Located(TerminalExercise):
    """An exercise whose objects are all in the namespace kit-NAMESPACE; reset removes them.

    namespace: without the prefix `kit-`; instance: the name that the task gives to the object.
    """

    namespace: str
    instance: str

    def reset(self) -> None:
        """Remove the namespace; if the learner made it, delete only the exercise's objects in it."""
        place.clear(self.cluster, self.namespace, [self.instance])

    def pods(self) -> list[Object]:
        """The pods of the exercise, by the names that their controller gave them; other pods in the namespace do not count."""
        return [p for p in self.objects("Pod") if p["metadata"]["name"].startswith(f"{self.instance}-")]

    def objects(self, kind: str) -> list[Any]:
        """All objects of this kind in the exercise's namespace."""
        return self.cluster.kube.list(kind, f"kit-{self.namespace}")

    def get(self, kind: str, name: str) -> Object | None:
        """An object of the exercise's namespace; None when it does not exist."""
        return self.cluster.kube.get(kind, name, f"kit-{self.namespace}")

    def until(self, kind: str, name: str, done: Callable[[Object | None], bool], what: str) -> Object | None:
        """Wait until an object of the exercise's namespace is `done`.  Raises WaitTimeout."""
        return wait.until(self.cluster.kube, kind, name, f"kit-{self.namespace}", done=done, what=what, seconds=SECONDS)

    def ask(self, path: str, *, port: int = 8080, method: str = "GET", body: Any = None) -> Any:
        """The decoded answer of the pod `instance` to one request; "" if there is none."""
        namespace = place.find(self.cluster, self.namespace)
        return _answer(namespace, self.instance, port, path, method, body) if namespace else ""

    def says(self, path: str, done: Callable[[Any], bool], *, port: int = 8080) -> bool:
        """Whether the pod gives an answer that is `done`, within a few seconds."""
        try:
            polling.until(
                lambda: self.ask(path, port=port), done, failure=lambda _: "another answer", seconds=ANSWER_SECONDS
            )
        except WaitTimeout:
            return False
        return True


def _answer(namespace: Namespace, pod: str, port: int, path: str, method: str, body: Any) -> Any:
    try:
        return podproxy.request(namespace, pod, port, path, method=method, body=body, seconds=ANSWER_SECONDS).body
    except ClusterError:
        return ""
