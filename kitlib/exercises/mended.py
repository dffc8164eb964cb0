"""Exercises that give the learner a Deployment to fix: the learner applies it, the check judges it, and reset deletes it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref

SECONDS = 20.0


class Mended(Exercise):
    """An exercise that gives manifests with a Deployment of the exercise's name; the answer is this Deployment in the cluster."""

    namespace: str  # NAME of the namespace kit-NAME

    @property
    def deployment(self) -> str:
        """The name of the Deployment: the part of the exercise's name after the slash."""
        return self.name.rpartition("/")[2]

    def given(self) -> list[Object]:
        """The manifests to fix."""
        return self.manifests(self.cluster.image("goapp-distroless"))

    @abstractmethod
    def manifests(self, image: str) -> list[Object]:
        """The manifests to fix, with this image of goapp."""

    def check(self) -> Outcome:
        """Look whether the Deployment exists, then judge it."""
        namespace = place.find(self.cluster, self.namespace)
        found = namespace and self.cluster.kube.get("Deployment", self.deployment, namespace.name)
        return self.judge(namespace, found) if namespace and found else NOT_ATTEMPTED

    @abstractmethod
    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Judge the Deployment as the API has it."""

    def reset(self) -> None:
        """Delete the exercise's objects; those of other exercises stay."""
        discard(self.cluster, f"kit-{self.namespace}", self.names)

    @property
    def names(self) -> Sequence[str]:
        """The instances of goapp that reset deletes."""
        return (self.deployment,)


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
