"""Exercises whose answer is a Deployment in the namespace of the chapter's exercises: its file is there to be completed or repaired."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Outcome, failed
from kitlib.exercises.terminal import TerminalExercise
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref
from kitlib.workloads import app

SECONDS = 20.0
WAITS = "kubectl describe pod: why are some pods not ready?"


class Mended(TerminalExercise):
    """An exercise whose answer is a Deployment with the exercise's name, applied by any tool in the namespace kit-NAMESPACE.

    namespace: without the prefix `kit-`; the exercises of a chapter share it.  seconds: how long the check waits for the rollout.
    """

    namespace: str
    seconds = 60.0

    @property
    def deployment(self) -> str:
        """The name of the Deployment: the part of the exercise's name after the slash."""
        return self.name.rpartition("/")[2]

    @property
    def names(self) -> Sequence[str]:
        """The names of the objects in the exercise's file."""
        return (self.deployment,)

    def check(self) -> Outcome:
        """Look whether the Deployment exists, then judge it."""
        namespace = place.find(self.cluster, self.namespace)
        found = namespace and self.cluster.kube.get("Deployment", self.deployment, namespace.name)
        return self.judge(namespace, found) if namespace and found else NOT_ATTEMPTED

    @abstractmethod
    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Judge the Deployment as the API has it."""

    def reset(self) -> None:
        """Delete the exercise's objects; those of the other exercises stay."""
        discard(self.cluster, f"kit-{self.namespace}", self.names)

    def settled(self, namespace: Namespace, then: Callable[[str], Outcome]) -> Outcome:
        """Go on with the name of one pod once the Deployment is rolled out; fail with the state of the pods if that takes too long."""
        try:
            found = app.roll_out(namespace, self.deployment, self.seconds)
        except WaitTimeout as e:
            return failed(*e.observed[:5], look=WAITS)
        names = [str(pod["metadata"]["name"]) for pod in app.selected(namespace, found)]
        return then(names[0]) if names else failed("the Deployment has no pod", look="`replicas`: at least one pod")


def absent(stack: str) -> Outcome:
    """The outcome while a stack that the check asks is not installed.  stack: like logs."""
    return failed(
        f"the stack {stack} is not installed, so the check cannot ask it",
        look=f"`kit.stacks.{stack}.install(cluster)` in a cell, or `./kit stacks install {stack}` in the folder of the kit",
    )


def discard(cluster: Cluster, namespace: str, names: Sequence[str]) -> None:
    """Delete instances of goapp; returns when they are gone."""
    kube = cluster.kube
    for kind in ("Deployment", "Service", "PodDisruptionBudget"):
        for name in names:
            if found := kube.get(kind, name, namespace):
                kube.delete(Ref.of(found))
                wait.until(kube, kind, name, namespace, done=wait.gone, what="gone")


def seen(namespace: Namespace, name: str, done: Callable[[Object], bool], seconds: float = SECONDS) -> Object:
    """The Deployment's newest pod once it is `done`, or as it was last seen when the time is over; empty when there was none."""
    newest: Object = {}
    label = f"app.kubernetes.io/instance={name}"
    for change, pod in namespace.cluster.kube.watch("Pod", namespace.name, labels=label, seconds=seconds):
        if change == "DELETED" or _created(pod) < _created(newest):
            continue
        newest = pod
        if done(pod):
            break
    return newest


def _created(pod: Object) -> str:
    return str(pod.get("metadata", {}).get("creationTimestamp", ""))


def lives(pod: Object) -> list[str]:
    """From the status of a container that was restarted: the number of restarts, and how the last run ended."""
    status = pod["status"]["containerStatuses"][0]
    ended = status.get("lastState", {}).get("terminated", {})
    return [
        f"{status['restartCount']} restarts",
        f"the last run ended with exit code {ended.get('exitCode')} ({ended.get('reason')})",
    ]
