"""Progress: what checks found, what was predicted and answered, counted without a look at the cluster."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import kitlib as kit
from kitlib.claims.predictions import predict
from kitlib.claims.register import register
from kitlib.cli import main
from kitlib.exercises import ALL, record
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.learning import answers
from kitlib.learning.frame import frames, named
from kitlib.learning.progress import Count, as_json, progress

NAME = "3.2-deployment"
OF_IT = [name for name in ALL if name.startswith(f"{NAME}/")]
UNDO = f"{NAME}/undo"
FRAME = named(NAME, frames())


class Task(Exercise):
    """An exercise whose check finds what the test says."""

    name = UNDO
    task = solution_text = ""
    hints = ("", "", "")
    found: Outcome = NOT_ATTEMPTED

    def check(self) -> Outcome:
        return self.found

    def reset(self) -> None: ...


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    return tmp_path


def check(*found: Outcome) -> None:
    for outcome in found:
        task = Task()
        task.found = outcome
        assert task.check() is outcome


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([NOT_ATTEMPTED], None),
        ([failed(look="there")], "failed"),
        ([passed()], "passed"),
        ([failed(look="there"), passed()], "passed"),
        ([passed(), failed(look="there")], "passed"),
        ([passed(), NOT_ATTEMPTED], "passed"),
    ],
)
def test_a_check_is_recorded(found: list[Outcome], state: str | None) -> None:
    """An exercise that passed once stays passed; a check before any attempt leaves no trace."""
    check(*found)

    assert record.outcomes().get(UNDO) == state


def test_times_are_recorded(home: Path) -> None:
    """The file has the last check with its time, and the first one that passed."""
    check(passed(), failed(look="there"))
    entry = json.loads((home / "checks.json").read_text())[UNDO]

    assert entry["state"] == "failed"
    assert entry["passed"] <= entry["at"]
    assert entry["at"].endswith("+00:00")


def test_an_outcome_that_cannot_be_kept_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check returns what it found all the same."""
    monkeypatch.setenv("KIT_HOME", "/proc/self")

    with pytest.warns(UserWarning, match="outcomes of checks cannot be kept"):
        check(passed())


def test_every_exercise_is_recorded() -> None:
    """The check of each exercise is wrapped once, where its class defines it."""
    for exercise in ALL.values():
        inner = vars(type(exercise).check).get("__wrapped__")
        assert inner, exercise.name
        assert "__wrapped__" not in vars(inner), exercise.name


def test_nothing_at_first() -> None:
    """Nothing is done, and all that there is to do is counted."""
    (found,) = progress([FRAME])

    assert (found.exercises.done, found.predictions.done, found.questions.done) == (0, 0, 0)
    assert found.questions.of == len(FRAME.questions)
    assert found.exercises.of == len(found.each) > 0


def test_progress_is_counted() -> None:
    """A passed exercise, a prediction and a right answer count; a wrong answer and a failed check do not."""
    check(passed())
    record.keep(f"{NAME}/pinned", failed(look="there"))
    claim = next(claim for claim in register() if claim.chapter == NAME and claim.predictions)
    predict(claim).set(claim.predictions[0])
    first, second, *_ = FRAME.questions
    answers.choose(first, first.right.says)
    answers.choose(second, next(option.says for option in second.options if not option.right))
    (found,) = progress([FRAME])

    assert (found.exercises.done, found.predictions.done, found.questions.done) == (1, 1, 1)
    assert dict(found.each)[UNDO] == "passed"
    assert dict(found.each)[f"{NAME}/pinned"] == "failed"
    assert "1/5 questions answered right" in repr(found)
    assert f"✓ {UNDO}: passed" in repr(found) and f"✓ {UNDO}: passed" in found._repr_html_()


def test_a_chapter_has_its_progress() -> None:
    """`kit.chapter(...).progress()` is that chapter's."""
    check(passed())

    assert kit.chapter(NAME).progress().exercises.done == 1


def test_json_has_chapters_and_sums(capsys: pytest.CaptureFixture[str]) -> None:
    """`./kit progress --json` has every chapter in order, and the sums of all."""
    check(passed())
    assert main(["progress", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)

    assert [entry["chapter"] for entry in said["chapters"]] == [frame.name for frame in frames()]
    entry = next(entry for entry in said["chapters"] if entry["chapter"] == NAME)
    assert entry["exercises"]["done"] == 1 and entry["each"][UNDO] == "passed"
    assert said["total"]["exercises"]["done"] == 1
    assert said["total"]["questions"]["of"] == sum(len(frame.questions) for frame in frames())
    assert said == json.loads(json.dumps(as_json(progress(frames()))))


def test_the_table_has_one_line_per_chapter(capsys: pytest.CaptureFixture[str]) -> None:
    """Counts stand in columns; what a chapter does not have is a dash."""
    check(passed())
    assert main(["progress"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]

    assert lines[0] == ["chapter", "exercises", "predictions", "questions"]
    assert len(lines) == len(frames()) + 2
    assert next(line for line in lines if line[0] == NAME)[1] == f"1/{len(OF_IT)}"
    assert next(line for line in lines if line[0] == "9-verdicts")[1:] == ["–", "–", "–"]


@pytest.mark.parametrize("name", ["checks.json", "answers.json"])
def test_a_damaged_file_is_said_once(home: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The command warns in one line, keeps the file, and shows the rest."""
    (home / name).write_text("{")
    assert main(["progress"]) == 0
    said = capsys.readouterr()

    assert said.err.count("damaged; it is kept as") == 1
    assert "Warning" not in said.err
    assert "total" in said.out
    assert (home / name).with_suffix(".damaged").exists()


def test_a_read_only_folder_has_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a right to write, what checks found and what was answered is shown."""
    check(passed())
    answers.choose(FRAME.questions[0], FRAME.questions[0].right.says)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main(["progress", "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["total"]

    assert (total["exercises"]["done"], total["questions"]["done"]) == (1, 1)


def test_entries_of_another_form_do_not_count(home: Path) -> None:
    """An entry of another program is left alone and counts for nothing."""
    (home / "checks.json").write_text(json.dumps({UNDO: "passed", f"{NAME}/pinned": {"state": "won"}, "x": None}))

    assert record.outcomes() == {}


def test_counts_add_up() -> None:
    """Sums are of both numbers; nothing of nothing is a dash."""
    assert Count(1, 3) + Count(2, 2) == Count(3, 5)
    assert [str(Count(1, 3)), str(Count(0, 0))] == ["1/3", "–"]
