"""Answers to the exercises: the reference solution, and two or more wrong ones each that leave the real system in a wrong state.

One module per chapter, each with its WRONG: exercise -> functions of the cluster.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
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
    shell,
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


def attempt(name: str, answer: Answer, cluster: Cluster) -> None:
    """Give an answer to an exercise; a text for bash has the variables of its solution, and works with the files of its chapter."""
    if isinstance(answer, shell.Bash):
        text = exercises.exercise(name).settings + answer.text
        answer = replace(answer, text=text, chapter=chapter_of(name))
    answer(cluster)


def solve(name: str, cluster: Cluster) -> None:
    """Run the solution as a learner would: in a terminal, as a Go cell, or as a cell with the names that a chapter has."""
    exercise = exercises.exercise(name)
    text = exercise.solution()
    if exercise.language == "bash":
        begin(exercise)
        shell.run(text, chapter_of(name))
    elif text.startswith(cells.MAGIC):
        cells.run(text)
    else:
        exec(text, {"kit": kitlib, "cluster": cluster})  # noqa: S102


def begin(exercise: exercises.Exercise) -> None:
    """Run `.given()` where the task of an exercise for the terminal says so."""
    if ".given()" in exercise.task:
        exercise.given()  # type: ignore[attr-defined]


def chapter_of(name: str) -> str:
    """The chapter of an exercise."""
    return name.partition("/")[0]
