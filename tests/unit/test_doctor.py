"""What the doctor finds: always the same six things, each with a next step when something is wrong."""

import json
import shutil
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import psutil
import pytest

from kitlib.cli import main
from kitlib.host import identity
from kitlib.runner import doctor
from kitlib.supply import choice as supply

GIB = 2**30


pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No container engine answers, and nothing of the machine's user is touched."""
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    for name in ("KIT_SUPPLY", "KIT_CLUSTER", "KIT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    supply.choose.cache_clear()
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
    """A machine on whose loopback address no port can be bound has a problem, with the reason."""

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


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("KIT_SUPPLY", "nope", "KIT_SUPPLY=nope is not a supply"),
        ("KIT_SUPPLY", "mirror", "the supply mirror is not in this version of the kit"),
        ("KIT_PROFILE", "slow", "KIT_PROFILE=slow is not a profile"),
        ("KIT_CLUSTER", "A/b", "KIT_CLUSTER=A/b is not a cluster name"),
        ("KIT_HOME", "/proc/1/kit", "KIT_HOME=/proc/1/kit cannot be used"),
        ("KIT_CACHE", "/dev/null/kit", "KIT_CACHE=/dev/null/kit cannot be used"),
        ("KIT_RESULTS", "/dev/null", "KIT_RESULTS=/dev/null cannot be used"),
    ],
)
def test_settings_that_are_wrong(
    name: str, value: str, seen: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable that is wrong is a problem with a next step; everything else is still checked, also by `status`."""
    monkeypatch.setenv(name, value)
    settings = [f for f in doctor.examine() if f.name == "settings"]

    assert [(f.level, f.seen.startswith(seen), bool(f.next)) for f in settings] == [("problem", True, True)]
    assert main(["doctor"]) == 1
    assert "\nok       ports " in capsys.readouterr().out
    assert main(["status"]) in (0, 1, 2)
    assert "\ncluster  " in capsys.readouterr().out


def test_record_that_is_damaged(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged record of the cluster is found before `up` stumbles over it."""
    monkeypatch.setenv("KIT_HOME", str(alone / "home"))
    (identity.home() / "owner.json").write_text("{")

    assert "owner.json is damaged" in find("settings").seen
    assert find("settings").level == "problem"


@pytest.mark.parametrize("error", [psutil.AccessDenied(1), FileNotFoundError(2, "no /proc"), ValueError("MemTotal")])
def test_a_check_that_breaks_off_is_a_finding(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check whose source is missing says so, and the other checks go on."""

    def broken() -> None:
        raise error

    monkeypatch.setattr(psutil, "virtual_memory", broken)
    findings = doctor.examine()

    assert [f.name for f in findings] == ["engine", "disk", "memory", "ports", "cgroups", "inotify"]
    assert (find("memory").level, bool(find("memory").next)) == ("warning", True)
    assert "cannot be found out here" in find("memory").seen and len(find("memory").seen.splitlines()) == 1


class Garbage(BaseHTTPRequestHandler):
    """Something that is no engine listens at the engine's address."""

    answer = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    "answer", [b"", b"{}", b"[]", b"null", b"<html>", b'{"ApiVersion": 7}', b'{"ApiVersion": "1.44"}']
)
def test_an_engine_that_answers_garbage(
    answer: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither `doctor` nor `status` ends in a traceback when another program answers where the engine should."""
    monkeypatch.setattr(Garbage, "answer", answer)
    monkeypatch.setenv("KIT_SUPPLY", "packages")
    with ThreadingHTTPServer(("127.0.0.1", 0), Garbage) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        codes = [main(["doctor"]), main(["status"])]
        server.shutdown()
    lines = capsys.readouterr().out.splitlines()

    assert codes[0] in (0, 1) and codes[1] == 0
    assert [line.split()[0] for line in lines[-3:]] == ["engine", "supply", "cluster"]


def test_status_as_data(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With a wrong setting `status --json` is still JSON, says what is wrong, and ends as wrong usage does."""
    monkeypatch.setenv("KIT_SUPPLY", "nope")
    code = main(["status", "--json"])

    assert code == 2
    assert json.loads(capsys.readouterr().out)["supply"].startswith("KIT_SUPPLY=nope is not a supply (next: ")
