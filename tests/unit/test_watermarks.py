"""What Elasticsearch makes of a disk with little room, and how the kit says so before it happens."""

import math
import shutil
from types import SimpleNamespace
from typing import Any

import pytest

from kitlib.cluster import podproxy
from kitlib.errors import ClusterError
from kitlib.kube.connection import Answer
from kitlib.runner import doctor
from kitlib.stacks import logs as stack
from kitlib.telemetry import logs, watermarks

GIB = 1 << 30
MARKS = {"low": "2gb", "high": "1gb", "flood_stage": "500mb"}


@pytest.mark.parametrize(
    ("gib", "stage"),
    [
        (0, "flood_stage"),
        (0.48, "flood_stage"),
        (0.5, "high"),
        (0.99, "high"),
        (1, "low"),
        (1.99, "low"),
        (2, None),
        (13, None),
    ],
)
def test_the_lowest_watermark_that_was_passed(gib: float, stage: str | None) -> None:
    """By what is free, whatever the disk's size is: 13 GB are enough on a disk that is 94 % full."""
    found = watermarks.passed(gib * GIB, 220 * GIB, MARKS)

    assert (found and found.stage) == stage


@pytest.mark.parametrize(
    ("setting", "total", "least"),
    [
        ("2gb", 100, 2),
        ("512mb", 100, 0.5),
        ("1.5gb", 100, 1.5),
        ("85%", 100, 15),
        ("0.9", 100, 10),
        ("85%", 10_000, 200),
        ("90%", math.inf, 200),
    ],
)
def test_every_form_of_a_watermark(setting: str, total: float, least: float) -> None:
    """Bytes, a share in per cent or as a number, and no more of a large disk than the headroom."""
    assert watermarks.least(setting, total * GIB, 200 * GIB) / GIB == pytest.approx(least)


def test_the_manifests_own_watermarks() -> None:
    """All three are there, in bytes, each less than the one before: a share would refuse a disk with room."""
    declared = watermarks.declared()

    assert declared.keys() == set(watermarks.FOLLOWS)
    assert not any("%" in value for value in declared.values())
    assert [watermarks.least(declared[stage], 0, 0) for stage in ("low", "high", "flood_stage")] == sorted(
        (watermarks.least(value, 0, 0) for value in declared.values()), reverse=True
    )


def machine(gib: float) -> Any:
    """A cluster of two nodes, the second of which has so much room."""
    free = {"one": 50 * GIB, "two": gib * GIB}
    return SimpleNamespace(
        nodes=["one", "two"], on_node=lambda *_, node: f"  Avail  1B-blocks\n{free[node]:.0f} {100 * GIB}\n"
    )


def test_a_full_disk_is_refused_before_anything_is_installed() -> None:
    """The error names node, room, watermark and what follows, with a next step."""
    with pytest.raises(ClusterError, match=r"of two has 0\.7 GiB free, below its high watermark of 1gb") as caught:
        stack.install(machine(0.7))

    assert "./kit down --images" in caught.value.hint


def test_a_disk_that_is_nearly_full_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Between the two upper watermarks the stack can be installed, with a warning; with room there is none."""
    stack._room(machine(1.5))
    warned = capsys.readouterr().err
    stack._room(machine(13))

    assert "of two has 1.5 GiB free, below its low watermark of 2gb" in warned
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("gib", "stage"), [(0.3, "flood_stage"), (0.7, "high"), (1.5, "low")])
@pytest.mark.usefixtures("no_engine")
def test_the_doctor_says_it(gib: float, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is a problem, and the message says what that means for Elasticsearch."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=gib * GIB))
    found = next(f for f in doctor.examine() if f.name == "disk")

    assert found.level == "problem"
    assert f"{stage} watermark" in found.seen


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "below its low watermark of 85%"),
        ({"persistent": {watermarks.PREFIX + "low": "2gb"}}, None),
        (
            {"persistent": {watermarks.PREFIX + "low": "2gb"}, "transient": {watermarks.PREFIX + "low": "20gb"}},
            "watermark of 20gb",
        ),
    ],
)
def test_the_running_store_is_asked(
    settings: dict[str, Any], said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its settings, those of the moment count more than those that stay, and both more than the defaults."""
    disk = {"total_in_bytes": 100 * GIB, "available_in_bytes": 13 * GIB}
    answers = {
        "_cluster/settings": {"defaults": {watermarks.PREFIX + "low": "85%"}, **settings},
        "_nodes/stats/fs": {"nodes": {"x": {"name": "elasticsearch-0", "fs": {"total": disk}}}},
    }
    monkeypatch.setattr(podproxy, "request", lambda *words, **_: Answer(200, {}, answers[words[3].partition("?")[0]]))
    namespace: Any = None
    found = logs.Logs(namespace)._disk()

    assert len(found) == (said is not None)
    assert all(said and said in line and "logs.retain(days)" in line for line in found)
