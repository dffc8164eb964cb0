"""What the doctor finds: always the same six things, each with a next step when something is wrong."""

import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from kitlib import doctor

GIB = 2**30


pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No container engine answers, and nothing of the machine's user is touched."""
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def find(name: str) -> doctor.Finding:
    return next(f for f in doctor.examine() if f.name == name)


def test_six_findings() -> None:
    """Everything the kit needs is looked at, in this order, and what is wrong comes with what to do."""
    findings = doctor.examine()

    assert [f.name for f in findings] == ["engine", "disk", "memory", "ports", "cgroups", "inotify"]
    assert [f.name for f in findings if f.level != "ok" and not f.next] == []
    assert all(f.seen for f in findings)


def test_findings_as_data() -> None:
    """The same as data: four words a finding."""
    finding = doctor.Finding("disk", "problem", "1 GiB free", "free some")

    assert doctor.as_json([finding]) == [
        {"name": "disk", "level": "problem", "seen": "1 GiB free", "next": "free some"}
    ]


@pytest.mark.parametrize(
    ("gib", "level"), [(0, "problem"), (14.9, "problem"), (15, "warning"), (30, "warning"), (31, "ok"), (500, "ok")]
)
def test_disk(gib: float, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 15 GiB free is a problem, up to 30 GiB a warning."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=gib * GIB))
    found = find("disk")

    assert found.level == level
    assert "./kit down --images" in found.next
    assert f"{gib:.0f} GiB free" in found.seen


def test_fullest_disk_decides(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache and the engine's data may lie on different disks: the one with less room decides."""
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: SimpleNamespace(free=(1 if alone in folder.parents else 500) * GIB)
    )
    found = find("disk")

    assert found.level == "problem"
    assert f"1 GiB free for {alone / 'cache'}, 500 GiB free for " in found.seen


@pytest.mark.parametrize(("gib", "level"), [(0.5, "problem"), (2.9, "problem"), (3, "ok"), (64, "ok")])
def test_memory(gib: float, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than 3 GiB available is a problem with a next step."""
    now = psutil.virtual_memory()._replace(available=int(gib * GIB))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: now)
    found = find("memory")

    assert (found.level, found.seen) == (level, f"{gib:.1f} GiB available")
    assert bool(found.next) == (level == "problem")


def test_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lets nobody listen on its loopback address has a problem, with the reason."""

    class Refusing(socket.socket):
        def bind(self, _: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Refusing)
    found = find("ports")

    assert found.level == "problem"
    assert "Permission denied" in found.seen
    assert found.next


def test_engine_that_does_not_answer(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Docker is installed and does not answer, the kit starts no other engine and says what to do."""
    installed = alone / "bin" / "dockerd"
    installed.parent.mkdir()
    installed.touch(0o755)
    monkeypatch.setenv("PATH", str(installed.parent))
    found = find("engine")

    assert found.level == "problem"
    assert found.seen.endswith("Docker is installed but does not answer")
    assert found.next == "start Docker, or install it"
