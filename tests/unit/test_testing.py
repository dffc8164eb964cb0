"""`kit test`: what fails anywhere fails all of it, also in a lane that runs beside others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kitlib.dev import testing

ALL = tuple(testing.STAGES)


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No learner's state is seen, and nothing of the environment is left behind."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    for name in ("KIT_CLUSTER", "KIT_RESULTS"):
        monkeypatch.setenv(name, "of a learner")


@pytest.fixture
def failing() -> set[str]:
    """Stages that fail; a test adds to it."""
    return set()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, failing: set[str]) -> list[str]:
    """Stages that ran in this process, with their cluster, and lanes as their words."""
    seen: list[str] = []

    def stage(name: str) -> bool:
        seen.append(f"{name} on {os.environ['KIT_CLUSTER']}")
        return name not in failing

    def lane(argv: Sequence[str | Path], **_: Any) -> bool:
        words = [str(word) for word in argv[4:]]
        seen.append(" ".join(words))
        return not failing & {word.removeprefix("--") for word in words}

    monkeypatch.setattr(testing, "STAGES", {name: partial(stage, name) for name in ALL})
    monkeypatch.setattr(testing, "_shown", lane)
    return seen


@pytest.mark.parametrize("fails", [None, *ALL])
def test_what_fails_anywhere_fails_all(ran: list[str], failing: set[str], fails: str | None) -> None:
    """Every stage runs once all the same: lint, unit and Go here, those that need a cluster in two lanes."""
    failing |= {fails} if fails else set()

    assert testing.run(ALL) == int(fails is not None)
    assert [line.split()[0] for line in ran[:3]] == ["lint", "unit", "go"]
    assert sorted(ran[3:]) == ["--cluster --exercises", "--notebooks"]


@pytest.mark.parametrize("stage", ALL)
def test_a_stage_by_itself_has_a_cluster_of_its_own(ran: list[str], stage: str) -> None:
    """It runs in this process, and never on a learner's cluster."""
    assert testing.run([stage]) == 0
    assert ran == [f"{stage} on kit-test-{stage}"]


def test_what_failed_is_said_again_at_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """By name and with the end of what pytest said; and no more of it once it passes."""
    suite = tmp_path / "test_it.py"
    monkeypatch.setattr(
        testing, "STAGES", {"unit": lambda: testing._pytest("unit", "-p", "no:cacheprovider", str(suite))}
    )

    suite.write_text("def test_sum():\n    assert 1 + 1 == 3, 'two'\n\n\ndef test_fine():\n    pass\n")
    assert testing.run(["unit"]) == 1
    _, _, said = capfd.readouterr().err.partition("✗ unit: ")
    assert said.splitlines()[0].endswith("test_it::test_sum")
    assert "AssertionError: two" in said
    assert "test_fine" not in said

    suite.write_text("def test_sum():\n    assert 1 + 1 == 2\n")
    assert testing.run(["unit"]) == 0
    assert "✗" not in capfd.readouterr().err
