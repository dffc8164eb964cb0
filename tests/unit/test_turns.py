"""Building in the background gives way to measuring: between two steps, and in the middle of what Go compiles."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from kitlib.host import turns

SOON = 20  # seconds
# A compiler, as `turns` knows it by its name: it counts in a file, and so does a child of its.
COMPILER = """\
#!/bin/sh
(while :; do echo >>child; sleep 0.02; done) &
while :; do echo >>parent; sleep 0.02; done
"""
# What `./kit prepare` does while it builds a tool.  The kernel ends a group that stands by SIGHUP, which `nohup` would let it ignore.
PREPARE = """\
import signal
from kitlib.host import proc, turns
signal.signal(signal.SIGHUP, signal.SIG_DFL)
with turns.building():
    proc.run(["./go"], stoppable=True)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with that compiler, and a state folder of the test's own."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    program = tmp_path / "go"
    program.write_text(COMPILER)
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def building(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that builds in the background; its compiler and the compiler's child are at work."""
    with subprocess.Popen([sys.executable, "-c", PREPARE], cwd=folder) as process:
        try:
            eventually(lambda: all((folder / name).exists() for name in ("parent", "child")))
            family = psutil.Process(process.pid).children(recursive=True)
            yield process
        finally:
            process.terminate()
    for left in family:  # a real compiler's child ends with its package; this one never would
        with suppress(psutil.NoSuchProcess):
            left.kill()


def eventually(done: Callable[[], bool]) -> None:
    """Wait until it is true."""
    end = time.monotonic() + SOON
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def counted(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in ("parent", "child"))


def stands(folder: Path) -> bool:
    """Whether no process counts for fifteen times as long as a count takes."""
    before = counted(folder)
    time.sleep(0.3)
    return counted(folder) == before


def test_a_compiler_stands_while_something_is_measured(folder: Path, building: subprocess.Popen[bytes]) -> None:
    """It does not run from the experiment's first moment on, and goes on after the last one."""
    with turns.measuring():
        assert stands(folder)
        with turns.measuring():
            pass
        assert stands(folder)

    before = counted(folder)
    eventually(lambda: counted(folder) > before)
    assert building.poll() is None


def test_within_an_experiment_others_may_build_for_a_while(folder: Path, building: subprocess.Popen[bytes]) -> None:
    """An experiment that waits for something that is being built lets the compiler run meanwhile."""
    with turns.measuring():
        before = counted(folder)
        with turns.interrupted():
            eventually(lambda: counted(folder) > before)
        assert stands(folder)
    assert building.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends with its parent")
@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_compiler_that_stands_ends_with_the_kit(folder: Path, building: subprocess.Popen[bytes], end: str) -> None:
    """A stopped process takes no SIGTERM; it is gone all the same when the program that builds is ended or killed."""
    family = psutil.Process(building.pid).children(recursive=True)
    assert len(family) >= 2

    with turns.measuring():
        assert stands(folder)
        getattr(building, end)()
        _, alive = psutil.wait_procs(family, SOON)

    assert alive == []


def test_a_step_begins_when_nothing_is_measured() -> None:
    """give_way returns after the experiment; before, the experiment waits for the step that is under way."""
    order: list[str] = []
    begun, ended = threading.Event(), threading.Event()

    def experiment() -> None:
        begun.set()
        with turns.measuring():
            order.append("measured")
            ended.wait(0.2)
            order.append("measured to the end")

    with turns.building() as builder:
        builder.told = lambda waits: order.append("waits" if waits else "goes on")
        other = threading.Thread(target=experiment)
        other.start()
        begun.wait(SOON)
        time.sleep(0.2)
        order.append("step ended")
        builder.give_way()
        order.append("next step")
        other.join(SOON)

    assert [what for what in order if "measured" not in what] == ["step ended", "waits", "goes on", "next step"]
    assert (
        order.index("step ended")
        < order.index("measured")
        < order.index("measured to the end")
        < order.index("next step")
    )


def test_a_builder_that_ends_waits_for_no_experiment(folder: Path, building: subprocess.Popen[bytes]) -> None:
    """An interrupt ends the program that builds at once, although its compiler stands for an experiment that goes on."""
    with turns.measuring():
        assert stands(folder)
        building.send_signal(signal.SIGINT)
        building.wait(SOON)

    assert building.returncode != 0


def test_the_background_is_polite() -> None:
    """Only what is built in the background has a lower priority."""
    with turns.building():
        assert turns.polite()[0] == "nice"
    assert turns.polite() == []
