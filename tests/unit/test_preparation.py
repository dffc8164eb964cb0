"""What is being prepared, as kernels and the status bar read it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kitlib.errors import EngineError, SetupError
from kitlib.host import console, frontend, identity, preparation, turns
from kitlib.runner import preparing

SOON = 20  # seconds


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cluster of the test's own."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    return identity.home()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process counts as a kernel."""
    monkeypatch.setattr(frontend, "in_kernel", lambda: True)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The needs that were made, one after the other, in place of making them."""
    found: list[str] = []
    monkeypatch.setattr(preparing, "_make", found.append)
    return found


@pytest.fixture
def chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three chapters."""
    known = {"a": ("go",), "b": ("engine", "cluster", "image x"), "c": ("engine", "image x", "image y")}
    monkeypatch.setattr(preparing, "_known", lambda: known)


@pytest.mark.usefixtures("chapters")
def test_each_need_is_made_once_in_the_order_of_the_chapters(made: list[str]) -> None:
    """What two chapters need is made for the first of them; Go is there already."""
    assert preparing.run(["a", "b", "c"]) == 0

    found = preparation.look()
    assert made == ["engine", "cluster", "image x", "image y"]
    assert found is not None
    assert (found.chapters, found.running, found.failed) == ((3, 3), False, "")
    assert found.told() == "3 of 3 chapters are ready"


@pytest.mark.usefixtures("chapters")
def test_what_fails_is_said_with_its_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command raises the error, and the record says how far it came and what to do."""

    def make(need: str) -> None:
        if need == "cluster":
            raise EngineError("no engine answers", hint="start Docker")

    monkeypatch.setattr(preparing, "_make", make)
    with pytest.raises(EngineError):
        preparing.run(["a", "b", "c"])

    found = preparation.look()
    assert found is not None
    assert found.told() == "1 of 3 chapters are ready; stopped: no engine answers (next: start Docker)"


@pytest.mark.usefixtures("chapters")
def test_the_record_has_the_step_and_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a step runs, its name is in the record, and a line that it prints, half a second after another at the earliest."""
    seen: list[preparation.Preparation] = []

    def look() -> None:
        found = preparation.look()
        assert found is not None
        seen.append(found)

    def make(need: str) -> None:
        if need != "engine":
            return
        with console.step("building it") as line:
            look()
            monkeypatch.setattr(preparing, "OFTEN", 0.0)
            line("12 of at most 34 packages")
            look()

    monkeypatch.setattr(preparing, "_make", make)
    preparing.run(["a", "b"])

    assert [found.now for found in seen] == ["building it", "building it: 12 of at most 34 packages"]
    assert all(found.running for found in seen)
    assert "1 of 2 chapters are ready; building it: 12 of" in seen[-1].told()


def test_a_pause_is_said() -> None:
    """While an experiment runs, the text says why nothing goes on."""
    with preparation.alone():
        preparation.Preparation(chapters=(1, 2), now="building it", paused=True).save()
        found = preparation.look()

    assert found is not None
    assert found.told() == "1 of 2 chapters are ready; waiting until an experiment has ended"


@pytest.mark.usefixtures("kernel")
def test_a_cell_waits_for_what_is_being_made(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It returns when the need is there, also while others are still being made."""
    monkeypatch.setattr(preparation, "PERIOD", 0.01)
    go_on, over = threading.Event(), threading.Event()

    def make(need: str) -> None:
        {"engine": go_on, "cluster": over}[need].wait(SOON)
        made.append(need)

    monkeypatch.setattr(preparing, "_make", make)
    maker = threading.Thread(target=preparing.run, args=(["a"],))
    monkeypatch.setattr(preparing, "_known", lambda: {"a": ("engine", "cluster")})
    maker.start()
    while (found := preparation.look()) is None or not found.running:
        time.sleep(0.01)
    threading.Timer(0.2, go_on.set).start()

    waited = preparation.awaited("engine")
    there = [*made]
    over.set()
    maker.join(SOON)

    assert (waited, there) == (True, ["engine"])
    assert preparation.awaited("cluster") is False  # nothing is being made any more


@pytest.mark.usefixtures("kernel")
def test_a_cell_does_not_wait_for_what_will_not_come(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preparation ends without the need: the cell has its reason."""
    monkeypatch.setattr(preparation, "PERIOD", 0.01)
    states = [True, True, False]
    monkeypatch.setattr(preparation, "_running", lambda: states.pop(0) if states else False)
    preparation.Preparation(chapters=(0, 1), failed="no engine answers").save()

    with pytest.raises(SetupError, match="the cluster could not be prepared: no engine answers"):
        preparation.awaited("cluster")
    assert json.loads((home / preparation.FILE).read_text())["failed"]


def test_only_a_kernel_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command does not wait for `./kit prepare`: it has a lock of its own, and `./kit status` answers at once."""
    preparation.Preparation(chapters=(0, 1)).save()
    monkeypatch.setattr(preparation, "_running", lambda: True)

    assert preparation.awaited("cluster") is False


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"ready": 1, "chapters": null}', '{"chapters": [0, 1], "unknown": 1}']
)
def test_a_record_that_cannot_be_read_is_none(home: Path, text: str) -> None:
    """A half-written or foreign file is as good as none."""
    (home / preparation.FILE).write_text(text)

    assert preparation.look() is None
    assert preparation.missing(["cluster"]) == ""


def test_what_a_chapter_still_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its header says so while it is being prepared, and nothing afterwards."""
    preparation.Preparation(ready=["go", "engine"], chapters=(1, 2)).save()
    running = [True]
    monkeypatch.setattr(preparation, "_running", lambda: running[0])

    assert preparation.missing(["engine", "cluster", "image alpine"]).startswith(
        "Still being prepared: the cluster, image alpine."
    )
    assert preparation.missing(["engine"]) == ""
    running[0] = False
    assert preparation.missing(["cluster"]) == ""


@pytest.fixture
def steps() -> Iterator[SimpleNamespace]:
    """A listener that keeps what it hears."""
    heard: list[tuple[str, ...]] = []
    listener: Any = SimpleNamespace(
        heard=heard,
        began=lambda what: heard.append(("began", what)),
        said=lambda line: heard.append(("said", line)),
        ended=lambda: heard.append(("ended",)),
    )
    with console.heard(listener):
        yield listener


def test_a_listener_hears_steps_within_steps(steps: SimpleNamespace) -> None:
    """Also the end of one that fails."""

    def fail() -> None:
        with console.step("outer"), console.step("inner") as line:
            line("1 of 2")
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()

    assert steps.heard == [("began", "outer"), ("began", "inner"), ("said", "1 of 2"), ("ended",), ("ended",)]


def test_another_cluster_has_another_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel of one does not wait for what is prepared for the other; nothing is built in either while one measures."""
    with turns.building(), preparation.alone():
        preparation.Preparation(chapters=(0, 1)).save()
        first = preparation.look()
        monkeypatch.setenv("KIT_CLUSTER", "another")
        second = preparation.look()

    assert first is not None and first.running
    assert second is None


def test_what_is_removed_is_not_ready() -> None:
    """`./kit down` takes the record away."""
    preparation.Preparation(chapters=(1, 1)).save()
    preparation.forget()
    preparation.forget()

    assert preparation.look() is None
