"""Exercises of 0-start."""

from __future__ import annotations

from kitlib import app, wait
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed

SPACE = "start"
WANTED = 2
SECONDS = 20


class Hello(Exercise):
    """A first Deployment."""

    name = "0-start/hello"
    task = (
        f"Run goapp as a Deployment called `hello` with {WANTED} replicas in the namespace `kit-{SPACE}`, and get all of them ready. "
        "`kit.app.manifests(name, image, replicas=...)` gives its objects, `space.apply(*objects)` sends them."
    )
    first_hint = (
        f"`space = cluster.space('{SPACE}')` makes the namespace; "
        "`cluster.image('goapp-distroless')` names an image that the node can pull."
    )
    solution_text = (
        f"space = cluster.space('{SPACE}')\n"
        "image = cluster.image('goapp-distroless')\n"
        f"space.apply(*kit.app.manifests('hello', image, replicas={WANTED}))"
    )

    def check(self) -> Outcome:
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
        if space := Space.find(self.cluster, SPACE):
            space.undo()
