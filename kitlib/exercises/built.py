"""Exercises whose answers are images."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from kitlib import images
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed
from kitlib.measure import builds


class Built(Exercise):
    """An exercise whose answer is one or more images, below kit.local/NAME."""

    made: str
    tags: tuple[str, ...]

    def check(self) -> Outcome:
        if any(self.cluster.engine.inspect(self.reference(tag)) is None for tag in self.tags):
            return NOT_ATTEMPTED
        return self.judge()

    @abstractmethod
    def judge(self) -> Outcome:
        """Judge the images, which are all there."""

    def reference(self, tag: str) -> str:
        return f"{images.PREFIX}/{self.made}:{tag}"

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
        builds.remove(self.cluster.engine, self.made)
