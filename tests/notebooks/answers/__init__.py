"""Answers to the exercises: the reference solution, and two or more wrong ones each that leave the real system in a wrong state.

One module per chapter, each with its WRONG: exercise -> functions of the cluster.
"""

from collections.abc import Callable, Sequence
from itertools import chain

import kitlib
from kitlib import exercises
from kitlib.cluster.bound import Cluster
from tests.notebooks.answers import (
    architecture,
    cells,
    debugging,
    deployment,
    docker_concepts,
    dockerfile,
    game_day,
    go_basics,
    log_lines,
    metric_series,
    multi_stage,
    private_registry,
    probes,
    service_ingress,
    start,
    tracing,
)

Answer = Callable[[Cluster], object]

CHAPTERS = (
    start,
    go_basics,
    docker_concepts,
    dockerfile,
    multi_stage,
    debugging,
    private_registry,
    architecture,
    deployment,
    service_ingress,
    log_lines,
    metric_series,
    tracing,
    probes,
    game_day,
)
WRONG: dict[str, Sequence[Answer]] = dict(chain.from_iterable(chapter.WRONG.items() for chapter in CHAPTERS))


def solve(name: str, cluster: Cluster) -> None:
    """Run the solution as a learner would: a Go cell, or its text, with the names that a chapter has."""
    text = exercises.exercise(name).solution()
    if text.startswith(cells.MAGIC):
        cells.run(text)
    else:
        exec(text, {"kit": kitlib, "cluster": cluster})  # noqa: S102
