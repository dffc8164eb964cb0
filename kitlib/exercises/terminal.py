"""Exercises that are solved in a terminal, with `kubectl` and the chapter's starter files."""

from __future__ import annotations

from kitlib.exercises.base import Exercise
from kitlib.workloads import app


class TerminalExercise(Exercise):
    """An exercise whose solution is a script, and whose starter files name the two releases of goapp."""

    language = "bash"

    def prepare(self) -> None:
        """Publish the images that the starter files name."""
        app.publish(self.cluster)


def space(name: str) -> str:
    """The command of a solution that creates the namespace kit-NAME, and that also succeeds if there is one."""
    return f"kubectl create namespace kit-{name} --dry-run=client -o yaml | kubectl apply -f -\n"
