"""Exercises of 0-start."""

from __future__ import annotations

from kitlib.errors import WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import wait
from kitlib.workloads import app

SPACE = "start"
WANTED = 2
SECONDS = 20


class Hello(Exercise):
    """A first Deployment."""

    name = "0-start/hello"
    task = (
        f"Run goapp as a Deployment called `hello` with {WANTED} replicas in the namespace `kit-{SPACE}`, and get all of them ready. "
        "`kit.app.manifests(name, image, replicas=...)` gives its objects, `namespace.apply(*objects)` sends them."
    )
    hints = (
        "A Deployment keeps a number of pods running. Which two things does it have to know: what runs, and how many of "
        "it?",
        "The image has to be one that the node can pull: `cluster.image('goapp-distroless')` prints such a name. The "
        "number is `spec.replicas`.",
        "`kubectl create deployment hello -n kit-start --image=IMAGE --replicas=2` makes it, once `kubectl create "
        "namespace kit-start` has made the namespace.",
    )
    solution_text = (
        f"namespace = cluster.namespace('{SPACE}')\n"
        "image = cluster.image('goapp-distroless')\n"
        f"namespace.apply(*kit.app.manifests('hello', image, replicas={WANTED}))"
    )

    def check(self) -> Outcome:
        """Look whether the Deployment asks for as many replicas as the task, and all of them become ready."""
        kube = self.cluster.kube
        found = kube.get("Deployment", "hello", f"kit-{SPACE}")
        if found is None:
            return NOT_ATTEMPTED
        asked = found["spec"]["replicas"]
        if asked != WANTED:
            return failed(
                f"Deployment/hello asks for {asked} replicas",
                look=f"spec.replicas of the Deployment: the task asks for {WANTED}",
            )
        try:
            wait.until(kube, "Deployment", "hello", f"kit-{SPACE}", done=app.rolled_out, what="ready", seconds=SECONDS)
        except WaitTimeout as e:
            return failed(
                *e.observed, look="why the containers wait: is the image's name one that cluster.image(...) returned?"
            )
        return passed(f"Deployment/hello has {WANTED} of {WANTED} replicas ready")

    def reset(self) -> None:
        """Remove the namespace; if the learner made it, delete only the exercise's objects in it."""
        place.clear(self.cluster, SPACE, ["hello"])
