"""Exercises that are solved with `docker` in a terminal.  Most answers are images: the task gives the name, and any tool may build it."""

from __future__ import annotations

import shlex
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from kitlib.engine.client import Engine
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed
from kitlib.supply import builder, images
from kitlib.workloads import builds


class DockerExercise(Exercise):
    """An exercise whose solution is a script with `docker`, which begins with the names of the images that it uses.

    uses: variable of the script -> image of the catalogue.  folders: variable -> folder of the kit from which it builds.  The chapter's
    notebook sets the same variables.
    """

    language = "bash"
    uses: ClassVar[Mapping[str, str]] = {"ALPINE": "alpine"}
    folders: ClassVar[Mapping[str, Path]] = {}

    @property
    def settings(self) -> str:
        """The lines that set these variables, for the present engine."""
        references = {variable: images.image(name).reference for variable, name in self.uses.items()}
        values = {**references, **{variable: str(folder) for variable, folder in self.folders.items()}}
        return assignments(values)

    def prepare(self) -> None:
        """Make the images of `uses` available."""
        builder.ensure(self.cluster.engine, self.uses.values())


class Built(DockerExercise):
    """An exercise whose answer is one or more images, called NAME:TAG, or kit.local/NAME:TAG if the kit built them."""

    made: str
    tags: tuple[str, ...]

    def check(self) -> Outcome:
        """Find all images of the task in the engine, then judge them."""
        if any(self.cluster.engine.inspect(self.reference(tag)) is None for tag in self.tags):
            return NOT_ATTEMPTED
        return self.judge()

    @abstractmethod
    def judge(self) -> Outcome:
        """Judge the images, all of which exist."""

    def reference(self, tag: str) -> str:
        """The full name of an answer; of two images, the name of the one that was tagged last."""
        return answered(self.cluster.engine, f"{self.made}:{tag}")

    def image(self, tag: str) -> dict[str, Any]:
        """An answer as the engine describes it."""
        return dict(self.cluster.engine.inspect(self.reference(tag)) or {})

    def user(self, tag: str) -> tuple[str, Outcome | None]:
        """The user of an answer's programs, and a failed outcome if it is root."""
        user = self.image(tag)["Config"].get("User") or "root"
        if user.split(":")[0] in ("root", "0"):
            return user, failed(f"the image's user is {user}", look="USER: a number needs no entry in /etc/passwd")
        return user, None

    def ask(self, tag: str, *command: str) -> str:
        """The output of a command in an answer's image; empty if the command fails."""
        ended = self.cluster.engine.run(self.reference(tag), command)
        return ended.output.strip() if ended.exit_code == 0 else ""

    def reset(self) -> None:
        """Remove the answers under both names, and everything that the kit made for the exercise; the build cache stays."""
        builds.remove(self.cluster.engine, self.made)
        for tag in self.tags:
            forget(self.cluster.engine, f"{self.made}:{tag}")


def assignments(variables: Mapping[str, str]) -> str:
    """Lines of a shell script that set variables."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def names(called: str) -> tuple[str, str]:
    """The two names that an answer can have: the name from the task, given by `docker build -t`, and the kit's name."""
    return called, f"{images.PREFIX}/{called}"


def answered(engine: Engine, called: str) -> str:
    """The name that an answer has.  If it has both names, the one that was given last; if it has none, the kit's name."""
    found = {name: described for name in names(called) if (described := engine.inspect(name))}
    return max(found, key=lambda name: tagged(found[name]), default=names(called)[-1])


def tagged(image: Mapping[str, Any]) -> str:
    """The time when the image got its newest name, or when it was built if the engine keeps no such time; comparable as text."""
    return str((image.get("Metadata") or {}).get("LastTagTime") or image.get("Created") or "")


def forget(engine: Engine, called: str) -> None:
    """Remove the names of an answer that exist; the image is removed with its last name."""
    for name in names(called):
        if engine.inspect(name):
            engine.remove(name, force=True)
