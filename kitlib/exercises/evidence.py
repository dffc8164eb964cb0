"""What a check saw, each cause once: a Deployment of three pods tells the same failure three times, and again as events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# the letters of generated names (k8s.io/apimachinery/pkg/util/rand): a ReplicaSet's hash, a pod's suffix
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
GENERATED = re.compile(rf"-[{LETTERS}]{{8,10}}-[{LETTERS}]{{5}}\b|-[{LETTERS}]{{8,10}}\b|-[{LETTERS}]{{5}}\b")
NUMBER = re.compile(r"\d+")
# a line of the first form is the cause of lines of the second
FOLLOWS = (
    (
        re.compile(r"Failed to pull image"),
        re.compile(r"(Error: )?(ErrImagePull|ImagePullBackOff)|Back-off pulling image"),
    ),
)


def causes(lines: Iterable[str]) -> list[str]:
    """The lines without those that repeat another one; "(3 times)" follows a line that others repeat.

    Lines are the same when they differ only in generated names and in numbers.  What follows from a cause that is there is left out.
    """
    groups: dict[str, list[str]] = {}
    for line in _first_causes(list(lines)):
        groups.setdefault(_form(line), []).append(line)
    return [f"{same[0]} ({len(same)} times)" if len(same) > 1 else same[0] for same in groups.values()]


def _first_causes(lines: Sequence[str]) -> list[str]:
    found = [follows for cause, follows in FOLLOWS if any(cause.search(line) for line in lines)]
    told = [cause for cause, _ in FOLLOWS]
    return [
        line
        for line in lines
        if any(cause.search(line) for cause in told) or not any(follows.search(line) for follows in found)
    ]


def _form(line: str) -> str:
    return NUMBER.sub("#", GENERATED.sub("-…", line)).strip()
