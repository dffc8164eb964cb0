"""A wait of a cell says what it waits for, for how long, and for how long at most; one line, and only one."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest

from kitlib.claims import progress
from kitlib.errors import WaitTimeout
from kitlib.exercises.busy import Busy
from kitlib.host import clock, waiting
from kitlib.host.clock import Clock
from kitlib.kube import wait


class Display:
    """As in a kernel: every line, with the texts that it has had."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []

    def handle(self, text: str) -> Any:
        texts = [text]
        self.lines.append(texts)

        class Handle:
            def update(self, bundle: dict[str, str], raw: bool) -> None:
                assert raw
                texts.append(bundle["text/plain"])

        return Handle()

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.005)
        assert holds(), self.lines


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[Display]:
    made = Display()
    monkeypatch.setattr(clock, "display_handle", made.handle)
    monkeypatch.setattr(progress, "display_handle", made.handle)
    monkeypatch.setattr(clock, "PERIOD", 0.01)
    yield made
    assert not clock.running()
    assert waiting._open == []


def test_a_wait_has_one_line(display: Display) -> None:
    """It is rewritten while the wait lasts, and says at the end how long it took."""
    with waiting.line("Deployment/catalog is rolled out", 120) as line:
        display.until(lambda: bool(display.lines) and len(display.lines[0]) > 2)

    (texts,) = display.lines
    assert line.shown
    assert set(texts[:-1]) == {"waiting until Deployment/catalog is rolled out: 0 s of at most 120 s"}
    assert texts[-1] == "Deployment/catalog is rolled out after 0 s"


def test_a_short_wait_shows_nothing(display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most waits of a chapter end within the second."""
    monkeypatch.setattr(clock, "PERIOD", 60.0)
    with waiting.line("Pod/a is gone", 120) as line:
        pass

    assert display.lines == [] and not line.shown


def test_a_wait_that_cannot_be_long_shows_nothing(display: Display) -> None:
    """Its cell ends before a line would be of use."""
    with waiting.line("Pod/a is gone", waiting.LONG):
        time.sleep(0.05)

    assert display.lines == []


def test_a_wait_inside_of_another_is_in_its_line(display: Display) -> None:
    """A stack waits for one part after the other."""
    with waiting.line("the stack logs is ready"):
        with waiting.line("StatefulSet/elasticsearch is ready", 180):
            display.until(lambda: bool(display.lines))
        display.until(lambda: display.lines[0][-1] == "waiting until the stack logs is ready: 0 s")

    (texts,) = display.lines
    assert (
        "waiting until the stack logs is ready, now until StatefulSet/elasticsearch is ready: 0 s of at most 180 s"
        in texts
    )
    assert texts[-1] == "the stack logs is ready after 0 s"


def test_a_wait_in_vain_is_not_said_to_have_ended(display: Display) -> None:
    """The error says what was observed."""

    def fail() -> None:
        display.until(lambda: bool(display.lines))
        raise WaitTimeout("not ready")

    with pytest.raises(WaitTimeout), waiting.line("Pod/a is ready", 60):
        fail()

    assert display.lines[0][-1] == "waiting until Pod/a is ready: 0 s of at most 60 s"


def test_an_experiment_has_the_only_line(display: Display) -> None:
    """Its own line has seconds; the waits of its trials show none."""
    line = progress.ProgressLine.show(2, 1)
    with waiting.line("Pod/a is ready", 60):
        time.sleep(0.05)
    line.close(2, 2)

    assert [texts[0] for texts in display.lines] == ["measuring ..."]


def test_a_button_has_the_only_line(display: Display) -> None:
    """What a check waits for is shown by the button."""
    with Busy(ipywidgets.HTML(), "Checking"), waiting.line("Pod/a is ready", 60):
        time.sleep(0.05)

    assert display.lines == []


def test_another_thread_shows_nothing(display: Display) -> None:
    """Several threads wait at once, for what the cell itself waits for."""

    def wait_there() -> None:
        with waiting.line("Pod/a is ready", 60):
            time.sleep(0.05)

    thread = threading.Thread(target=wait_there)
    thread.start()
    thread.join()

    assert display.lines == []


def test_outside_a_kernel_nothing_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line has its own steps."""
    monkeypatch.setattr(clock, "PERIOD", 0.01)
    with waiting.line("Pod/a is ready", 60) as line:
        time.sleep(0.05)

    assert not line.shown
    assert capsys.readouterr() == ("", "")


def test_the_waiting_function_has_a_line(display: Display) -> None:
    """`wait.until` says what it waits for, in the words of its error."""

    class Kube:
        def states(self, *_: Any, seconds: float) -> Iterator[Any]:
            assert seconds == 60
            yield {}
            display.until(lambda: bool(display.lines))
            yield {"status": {"phase": "Running"}}

    wait.until(Kube(), "Pod", "a", "n", done=wait.phase("Running"), what="running")  # type: ignore[arg-type]

    assert re.fullmatch(r"waiting until Pod/a is running: 0 s of at most 60 s", display.lines[0][0])
    assert display.lines[0][-1] == "Pod/a is running after 0 s"


def test_no_tick_comes_after_the_end() -> None:
    """When `stop` returns, what it shows is the owner's again."""
    ticks: list[int] = []
    for _ in range(20):
        made = Clock(lambda: ticks.append(1), 0.001)
        made.start()
        time.sleep(0.003)
        made.stop()
        before = len(ticks)
        time.sleep(0.003)
        assert len(ticks) == before
        made.stop()
    assert ticks
