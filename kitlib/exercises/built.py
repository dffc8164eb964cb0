"""Exercises whose answers are images: under the name that the task gives, whichever tool built them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from kitlib.engine.client import Engine
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed
from kitlib.supply import images
from kitlib.workloads import builds


class Built(Exercise):
    """An exercise whose answer is one or more images: NAME:TAG, or kit.local/NAME:TAG as the kit's own builds call it."""

    made: str
    tags: tuple[str, ...]

    def check(self) -> Outcome:
        """Look whether the engine has all images that the task names, then judge them."""
        if any(self.cluster.engine.inspect(self.reference(tag)) is None for tag in self.tags):
            return NOT_ATTEMPTED
        return self.judge()

    @abstractmethod
    def judge(self) -> Outcome:
        """Judge the images, which are all there."""

    def reference(self, tag: str) -> str:
        """An answer's full name; of two images, that of the one that was tagged last."""
        return answered(self.cluster.engine, f"{self.made}:{tag}")

    def image(self, tag: str) -> dict[str, Any]:
        """An answer as the engine describes it."""
        return dict(self.cluster.engine.inspect(self.reference(tag)) or {})

    def user(self, tag: str) -> tuple[str, Outcome | None]:
        """The user of an answer's programs; and the outcome, when it is root."""
        user = self.image(tag)["Config"].get("User") or "root"
        if user.split(":")[0] in ("root", "0"):
            return user, failed(f"its user is {user}", look="the USER instruction; a number needs no /etc/passwd")
        return user, None

    def ask(self, tag: str, *command: str) -> str:
        """What a command prints in an answer's image; empty when it fails."""
        ended = self.cluster.engine.run(self.reference(tag), command)
        return ended.output.strip() if ended.exit_code == 0 else ""

    def reset(self) -> None:
        """Remove the answers under both names, and what the kit made for the exercise; the build cache stays."""
        builds.remove(self.cluster.engine, self.made)
        for tag in self.tags:
            forget(self.cluster.engine, f"{self.made}:{tag}")


def names(called: str) -> tuple[str, str]:
    """What an answer can be called: by `docker build -t` as the task has it, or by the kit."""
    return called, f"{images.PREFIX}/{called}"


def answered(engine: Engine, called: str) -> str:
    """Which of its names an answer has; when it has both, the one that was given last; when it has none, the kit's."""
    found = {name: described for name in names(called) if (described := engine.inspect(name))}
    return max(found, key=lambda name: tagged(found[name]), default=names(called)[-1])


def tagged(image: Mapping[str, Any]) -> str:
    """When the engine gave the image its newest name, or when it was built if the engine does not say; comparable as text."""
    return str((image.get("Metadata") or {}).get("LastTagTime") or image.get("Created") or "")


def forget(engine: Engine, called: str) -> None:
    """Remove an answer's names that are there, and the image with its last."""
    for name in names(called):
        if engine.inspect(name):
            engine.remove(name, force=True)
