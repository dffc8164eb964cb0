"""Exercises whose answer is a Deployment with a fixed name, in a namespace of the same name; its selector finds its pods."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Outcome, failed
from kitlib.exercises.terminal import TerminalExercise
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.measure.workloads.pods import is_ready
from kitlib.workloads import app

SECONDS = 30
ENDING = 60  # seconds for the pods of an earlier rollout to end; the default grace period is half of it
WAITS = "the pods that are not ready: can the image be pulled, and does the program become ready?"


class Deployed(TerminalExercise):
    """An exercise whose answer is a Deployment with a fixed name, in a namespace of the same name."""

    instance: str

    @property
    def namespace(self) -> Namespace:
        """The exercise's namespace, created if it is missing."""
        return place.ensure(self.cluster, self.instance)

    def check(self) -> Outcome:
        """Look whether the Deployment exists, then judge it."""
        found = self.cluster.kube.get("Deployment", self.instance, f"kit-{self.instance}")
        return NOT_ATTEMPTED if found is None else self.judge(found)

    @abstractmethod
    def judge(self, deployment: Object) -> Outcome:
        """Judge the Deployment as the API has it."""

    def settled(self, then: Callable[[], Outcome]) -> Outcome:
        """Go on with the check once only the newest pods are left and ready; fail with the state of the pods if that takes too long."""
        try:
            deployment = app.roll_out(self.namespace, self.instance, SECONDS)
            replaced(self.namespace, deployment, set(), ENDING)
        except WaitTimeout as e:
            return failed(*e.observed[:5], look=WAITS)
        return then()

    def reset(self) -> None:
        """Remove the namespace; if the learner made it, delete only the exercise's objects in it."""
        place.clear(self.cluster, self.instance, [self.instance])


def pods(namespace: Namespace, deployment: Object) -> list[Object]:
    """The pods that the Deployment selects, including those that are ending."""
    return namespace.cluster.kube.list("Pod", namespace.name, labels=selector(deployment))


def moments(namespace: Namespace, deployment: Object, seconds: float) -> Iterator[list[Object]]:
    """The pods of a Deployment now, and after each change of one of them.

    Raises WaitTimeout when the time is over, unless the caller stops earlier.
    """
    yield pods(namespace, deployment)
    kube, name = namespace.cluster.kube, deployment["metadata"]["name"]
    for _ in kube.watch("Pod", namespace.name, labels=selector(deployment), seconds=seconds):
        yield pods(namespace, deployment)
    raise WaitTimeout(
        f"the pods of {name} are not the expected ones after {seconds:.0f} s",
        observed=wait.explain(kube, namespace.name),
        hint="look at the lines above",
    )


def replaced(namespace: Namespace, deployment: Object, before: set[str], seconds: float) -> list[Object]:
    """Wait until a Deployment has all its pods, ready, and none of the earlier ones; returns them.  before: uids.  Raises WaitTimeout."""
    every = moments(namespace, deployment, seconds)
    return next(found for found in every if complete(found, deployment["spec"]["replicas"], before))


def complete(found: list[Object], wanted: int, before: set[str]) -> bool:
    """Whether these are as many ready pods as wanted, without any earlier pod.  before: uids of the earlier pods."""
    return len(found) == wanted and all(is_ready(pod) and uid(pod) not in before for pod in found)


def uid(pod: Object) -> str:
    """The uid of a pod; a later pod of the same name has another one."""
    return str(pod["metadata"]["uid"])


def selector(deployment: Object) -> str:
    """The Deployment's matchLabels as a label selector."""
    return ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"].get("matchLabels", {}).items())


def environment(deployment: Object) -> dict[str, Object]:
    """The entries of the first container's environment, by name."""
    (container, *_) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry for entry in container.get("env", [])}
