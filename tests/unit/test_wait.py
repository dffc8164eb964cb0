"""The conditions that a wait ends on: pure functions of an object, or of None when it does not exist."""

from typing import Any

import pytest

from kitlib.kube import wait


def with_conditions(**status: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": name, "status": value} for name, value in status.items()]}}


EMPTY: list[dict[str, Any] | None] = [None, {}, {"status": {}}, {"status": {"conditions": None}}]


@pytest.mark.parametrize(
    ("obj", "holds"),
    [
        (with_conditions(Ready="True"), True),
        (with_conditions(Ready="False"), False),
        (with_conditions(Ready="Unknown"), False),
        (with_conditions(PodScheduled="True"), False),
        (with_conditions(PodScheduled="False", Ready="True"), True),
        *((obj, False) for obj in EMPTY),
    ],
)
def test_condition(obj: dict[str, Any] | None, holds: bool) -> None:
    """condition(kind) holds when the condition of that kind is True; one that is unknown or absent does not."""
    assert wait.condition("Ready")(obj) == holds


@pytest.mark.parametrize(
    ("obj", "holds"),
    [
        ({"status": {"phase": "Succeeded"}}, True),
        ({"status": {"phase": "Failed"}}, True),
        ({"status": {"phase": "Running"}}, False),
        *((obj, False) for obj in EMPTY),
    ],
)
def test_phase(obj: dict[str, Any] | None, holds: bool) -> None:
    """phase(...) holds when the object is in one of the phases."""
    assert wait.phase("Succeeded", "Failed")(obj) == holds


@pytest.mark.parametrize(("obj", "there"), [(None, False), ({}, True)])
def test_existence(obj: dict[str, Any] | None, there: bool) -> None:
    """An object exists, or is gone; an empty one exists."""
    assert (wait.exists(obj), wait.gone(obj)) == (there, not there)


def test_conditions_name_what_does_not_hold() -> None:
    """The lines of evidence are the conditions that do not hold, with reason and message as far as there are any."""
    obj = with_conditions(PodScheduled="True", Ready="False", Initialized="Unknown")
    obj["status"]["conditions"][1] |= {"reason": "ContainersNotReady", "message": "containers: [app]"}
    lines = wait.conditions(obj)

    assert lines == ["Ready=False ContainersNotReady containers: [app]", "Initialized=Unknown"]


@pytest.mark.parametrize("obj", EMPTY)
def test_no_conditions(obj: dict[str, Any] | None) -> None:
    """An object without conditions, or none at all, gives no lines."""
    assert wait.conditions(obj) == []
