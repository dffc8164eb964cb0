"""Texts for a terminal: solutions, and the commands that hints and tasks give."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kitlib import exercises
from kitlib.exercises import Exercise
from kitlib.exercises.built import DockerExercise
from kitlib.learning import frame, starters
from kitlib.paths import ROOT
from tests.contract import names
from tests.notebooks.answers import WRONG
from tests.notebooks.answers.shell import Bash

# the verbs that https://kubernetes.io/docs/reference/kubectl/ and https://docs.docker.com/reference/cli/docker/ list
KUBECTL = """
annotate api-resources api-versions apply attach auth autoscale certificate cluster-info completion config
cordon cp create debug delete describe diff drain edit events exec explain expose get kustomize label logs
options patch plugin port-forward proxy replace rollout run scale set taint top uncordon version wait
"""
DOCKER = """
attach build builder buildx commit compose container context cp create diff events exec export history image
images import info inspect kill load login logout logs manifest network pause plugin port ps pull push rename
restart rm rmi run save search sbom scout start stats stop swarm system tag top trust unpause update version
volume wait
"""
DOCKER_EXERCISES = [exercise for exercise in exercises.ALL.values() if isinstance(exercise, DockerExercise)]
VERBS = {"kubectl": KUBECTL.split(), "docker": DOCKER.split()}
WITH_VALUE = {"-n", "--namespace", "--context", "--kubeconfig", "-H", "--host", "-c", "--request-timeout"}
TEXTS = {
    **{exercise.name: exercise.solution() for exercise in exercises.ALL.values() if exercise.language == "bash"},
    **{
        f"{name}, wrong answer {i}": answer.text
        for name, answers in WRONG.items()
        for i, answer in enumerate(answers)
        if isinstance(answer, Bash)
    },
}


def verbs(text: str) -> set[tuple[str, str]]:
    """Each program of VERBS with the verb that a text gives it; words such as `$VERB` are no verb."""
    found = set()
    for program, rest in re.findall(r"(?<![\w./-])(kubectl|docker) +([^\n|;&`]*)", text):
        words = iter(rest.split())
        for word in words:
            if word in WITH_VALUE:
                next(words, None)
            elif not word.startswith("-"):
                found.add((program, word))
                break
    return {(program, verb) for program, verb in found if re.fullmatch(r"[a-z][a-z-]*", verb)}


def unknown(text: str) -> list[str]:
    """The commands that do not exist."""
    return sorted(f"{program} {verb}" for program, verb in verbs(text) if verb not in VERBS[program])


def missing(text: str, given: set[str]) -> list[str]:
    """Files that `-f` names, and that are neither starter files nor written by the text itself."""
    named = set(re.findall(r"(?:-f|--filename)[ =]([\w.-]+\.(?:ya?ml|json))\b", text))
    written = set(re.findall(r">\s*([\w.-]+)", text)) | set(re.findall(r"\b(?:tee|cp \S+|mv \S+) ([\w.-]+)", text))
    return sorted(named - given - written)


def early(text: str) -> list[str]:
    """Pipes into a program that stops reading early: under `pipefail` the writer sometimes ends with SIGPIPE, and so does the text."""
    return re.findall(r"\|\s*(head|grep -q)\b", text)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_sound(name: str) -> None:
    """shellcheck finds nothing in it, its commands and the files that it names exist, and no pipe ends early."""
    text = TEXTS[name]
    folder = starters.SOURCE / name.partition("/")[0]
    given = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    shellcheck = Path(sys.executable).parent / "shellcheck"
    said = subprocess.run([shellcheck, "-s", "bash", "-"], input=text, capture_output=True, text=True, check=False)

    assert said.stdout == ""
    assert unknown(text) == []
    assert missing(text, given) == []
    assert early(text) == []


@pytest.mark.parametrize("exercise", exercises.ALL.values(), ids=lambda e: e.name)
def test_a_command_of_a_hint_exists(exercise: Exercise) -> None:
    """In the code of the task and of the hints."""
    code = [span for text in (exercise.task, *exercise.hints) for span in text.split("`")[1::2]]

    assert [wrong for span in code for wrong in unknown(span)] == []


@pytest.mark.parametrize("exercise", DOCKER_EXERCISES, ids=lambda e: e.name)
def test_a_solution_sets_the_variables_that_its_task_names(exercise: Exercise) -> None:
    """Such as `$ALPINE`.  A cell of the chapter sets the same ones."""
    code = " ".join(span for text in (exercise.task, *exercise.hints) for span in text.split("`")[1::2])
    named = set(re.findall(r"\$([A-Z]+)\b", code))
    cells = names.cells(ROOT / "notebooks" / f"{exercise.name.partition('/')[0]}.ipynb", "code")
    shown = set(re.findall(r"^%env (\w+)=", "\n".join(cells), re.MULTILINE))

    assert named == set(re.findall(r"^([A-Z]+)=", exercise.settings, re.MULTILINE))
    assert named <= shown


def test_a_wrong_text_is_found() -> None:
    """The checks themselves: a verb that does not exist, also behind an option, and a file that is not there."""
    assert unknown("kubectl -n kit-a apply -f a.yaml\nkubectl -n kit-a aply -f a.yaml | docker lst") == [
        "docker lst",
        "kubectl aply",
    ]
    assert missing("kubectl apply -f a.yaml\ncat > b.yaml <<X\nX\nkubectl apply -f b.yaml -f c.yaml", {"a.yaml"}) == [
        "c.yaml"
    ]
    assert early("a=$(kubectl get pods -o name | head -n 1)") == ["head"]


@pytest.mark.parametrize("folder", sorted(starters.SOURCE.iterdir()), ids=lambda folder: folder.name)
def test_starter_files_belong_to_a_chapter(folder: Path) -> None:
    """Flat folders of small texts, each named like a chapter; YAML in them is YAML."""
    files = list(folder.iterdir())

    assert folder.name in {chapter.name for chapter in frame.frames()}
    assert files and all(file.is_file() and file.name != starters.GIVEN for file in files)
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert len(text) < 20_000
        if file.suffix in (".yaml", ".yml"):
            assert list(yaml.safe_load_all(text))
