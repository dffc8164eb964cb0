"""The panel of an exercise: busy at once, the advice first, each cause once, and buttons that survive an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest

from kitlib import exercises
from kitlib.errors import KitError, UsageError
from kitlib.exercises import evidence, panel
from kitlib.exercises.base import Exercise, Outcome, failed, passed
from kitlib.exercises.busy import Busy


class Easy(Exercise):
    """An exercise whose check does what a test gives it."""

    name = "0-start/easy"
    task = "Do `it` & go on."
    hints = ("vague", "nearer", "exact")
    solution_text = "do(it)"

    def __init__(self, act: Callable[[], Outcome] = passed) -> None:
        self.act, self.checks = act, 0

    def check(self) -> Outcome:
        """Look whether it was done.

        The second paragraph is not for the learner.
        """
        self.checks += 1
        return self.act()

    def reset(self) -> None:
        """Undo nothing."""


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A session of JupyterLab; what is displayed is kept in the list."""
    shown: list[Any] = []
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    monkeypatch.setattr("IPython.display.display", shown.append)
    return shown


def _press(shown: panel.Panel, name: str) -> None:
    shown.buttons[name].click()


def test_headless_it_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a front end, the task and how to check it; no widget."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)

    assert "`.check()`, `.hint(1)` to `.hint(3)`" in Easy().panel().data


def test_the_task_stays_when_the_kernel_is_gone(live: list[Any]) -> None:
    """Task and what to do with a dead panel are an output of their own, beside the widget that needs the kernel."""
    Easy().panel()._ipython_display_()
    text, widget = live

    assert "Do <code>it</code> &amp; go on." in text.data and "run this cell again" in text.data
    assert isinstance(widget, ipywidgets.VBox)


def test_hints_come_one_by_one_and_look_at_nothing(live: list[Any]) -> None:
    """From vague to exact; after the third nothing more comes, and the system was not looked at."""
    exercise = Easy()
    shown = exercise.panel()
    for _ in range(4):
        _press(shown, "Hint")
    counts = [answer.data.count("Hint") for answer in live]

    assert counts == [1, 2, 3, 3]
    assert "**Hint 3 of 3.** exact" in live[-1].data and "exact" not in live[1].data
    assert exercise.checks == 0
    with pytest.raises(UsageError, match="no hint 4"):
        exercise.hint(4)


def test_a_check_shows_at_once_what_it_does(live: list[Any]) -> None:
    """While it runs, the panel says what is looked at, and no button can be pressed; afterwards that is gone."""
    during: list[Any] = []
    shown: panel.Panel

    def act() -> Outcome:
        during.extend([shown.busy.value, [b.disabled for b in shown.buttons.values()]])
        return passed("seen")

    shown = Easy(act).panel()
    _press(shown, "Check")

    assert during == ["⏳ Checking: Look whether it was done …", [True] * 4]
    assert shown.busy.value == ""
    assert live == [passed("seen")]


def test_the_seconds_are_counted() -> None:
    """A long check says for how long it has been at it."""
    label, seen = ipywidgets.HTML(), threading.Event()
    label.observe(lambda change: seen.set() if change["new"].endswith("… 1 s") else None, names="value")
    with Busy(label, "Checking", period=0.05):
        assert seen.wait(10)

    assert label.value == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KitError("no cluster", hint="./kit up"), "next: ./kit up"),
        (ValueError("max() arg is empty"), "ValueError: max() arg is empty"),
        (KeyboardInterrupt(), "Interrupted."),
    ],
)
def test_buttons_work_again_after_an_error(live: list[Any], error: BaseException, said: str) -> None:
    """The error comes in its own words, without the kit's internals, and the next press checks again."""
    answers = iter([error, None])

    def act() -> Outcome:
        if found := next(answers):
            raise found
        return passed()

    shown = Easy(act).panel()
    _press(shown, "Check")
    _press(shown, "Check")

    assert said in live[0].data and "Traceback" not in live[0].data
    assert live[1] == passed()
    assert not any(button.disabled for button in shown.buttons.values())


def test_the_advice_comes_first() -> None:
    """Where to look next stands before what was seen, in text and on the page."""
    outcome = failed("the image is missing", look="its name")

    assert str(outcome).splitlines() == ["✗ failed", "  look: its name", "  saw: the image is missing"]
    assert outcome._repr_html_().index("its name") < outcome._repr_html_().index("the image is missing")


def test_each_cause_is_told_once() -> None:
    """Pods of one Deployment, and retries, say the same; what follows from a cause that is there is left out."""
    pull = "event Failed: Pod/hello-6d4cf56db6-{}: Failed to pull image"
    lines = [
        "Available=False MinimumReplicasUnavailable",
        *(f"pod hello-6d4cf56db6-{pod}: Pending" for pod in ("x2k4z", "bq9xv")),
        *("  hello: waiting ImagePullBackOff Back-off pulling image",) * 2,
        *(pull.format(pod) for pod in ("x2k4z", "bq9xv", "x2k4z")),
        "event Failed: Pod/hello-6d4cf56db6-x2k4z: Error: ErrImagePull",
    ]

    assert evidence.causes(lines) == [
        "Available=False MinimumReplicasUnavailable",
        "pod hello-6d4cf56db6-x2k4z: Pending (2 times)",
        f"{pull.format('x2k4z')} (3 times)",
    ]


def test_lines_that_differ_are_all_told() -> None:
    """A consequence without its cause stays, and words of a name are no generated suffix."""
    lines = ["waiting ImagePullBackOff", "pod hello-world: Pending", "pod hello-earth: Pending"]

    assert evidence.causes(lines) == lines


def test_a_check_says_what_it_looks_at() -> None:
    """For every exercise, a sentence of the method that judges it, and not of a helper."""
    said = {name: exercise.checking for name, exercise in exercises.ALL.items()}

    assert all(text.endswith(".") and len(text) > 30 for text in said.values())
    assert len(set(said.values())) > len(said) - 3
    assert not any("The output of a command" in text for text in said.values())
