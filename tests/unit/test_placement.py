"""What happens to a cluster's record when its engine does not answer: nothing is forgotten, and the error says what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kitlib import cli
from kitlib.cluster import lifecycle
from kitlib.engine import daemon
from kitlib.errors import ClusterError, EngineError
from kitlib.host import identity

pytestmark = pytest.mark.usefixtures("no_engine")

HOST = "unix:///var/run/docker.sock"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cluster `mine`, in a state folder of the test's own; an engine of the kit's own was never here."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_CLUSTER", "mine")
    monkeypatch.setattr(daemon, "DATA", tmp_path / "engine")
    monkeypatch.setattr(daemon, "start", lambda: pytest.fail("an engine was started"))
    return tmp_path / "home" / "clusters" / "mine"


def _older(home: Path, **more: str) -> None:
    """A record as older versions wrote it: it does not know its engine."""
    identity.create()
    file = home / "owner.json"
    known = {k: v for k, v in json.loads(file.read_text()).items() if k not in ("engine", "host")}
    file.write_text(json.dumps({**known, **more}))


@pytest.mark.parametrize("command", ["down", "up"])
def test_a_dead_engine_forgets_nothing(command: str) -> None:
    """With an engine that does not answer, `down` and `up` end in an error that names both addresses; the record stays."""
    made = identity.create(engine="an-id", host=HOST)
    with pytest.raises(ClusterError) as caught:
        getattr(lifecycle, command)()

    assert HOST in caught.value.message
    assert "tcp://127.0.0.1:9" in caught.value.message
    assert f"DOCKER_HOST={HOST} ./kit {command}" in caught.value.hint
    assert "./kit down --forget" in caught.value.hint
    assert identity.load() == made


def test_the_engine_that_has_it_is_to_be_started() -> None:
    """Where the dead engine is the cluster's own, the next step is to start it."""
    made = identity.create(engine="an-id", host="tcp://127.0.0.1:9")
    with pytest.raises(ClusterError) as caught:
        lifecycle.down()

    assert caught.value.hint.startswith("start that engine, then ./kit down;")
    assert identity.load() == made


@pytest.mark.parametrize("more", [{}, {"kube_system": "an-uid"}], ids=["never made", "made"])
def test_an_older_record_is_not_forgotten_either(more: dict[str, str], home: Path) -> None:
    """A record that does not know its engine is also kept when none answers."""
    _older(home, **more)
    before = identity.load()
    with pytest.raises(ClusterError):
        lifecycle.down()

    assert before
    assert identity.load() == before
    assert (before.engine, before.host) == ("", "")


def test_the_exit_code_is_not_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """`./kit down` with a dead engine returns 1, and says so in two lines."""
    identity.create(engine="an-id", host=HOST)

    assert cli.main(["down"]) == 1
    assert cli.main(["down", "--images"]) == 1
    assert capsys.readouterr().err.count("next: ") == 2


def test_forget_is_the_way_out(home: Path) -> None:
    """A cluster whose engine is gone for good is forgotten on request, and the command prints the mark of what it left."""
    made = identity.create(engine="an-id", host=HOST)
    lifecycle.forget()

    assert identity.load() is None
    assert not made.folder.exists()
    assert list(home.iterdir()) == []


def test_without_a_record_there_is_nothing_to_do() -> None:
    """`down` without a cluster and without an engine is done; with --images it is an error, as images may be there."""
    assert cli.main(["down"]) == 0
    with pytest.raises(EngineError, match="no image was removed"):
        lifecycle.down(with_images=True)


def test_no_engine_is_started_beside_the_one_that_is_asked_for() -> None:
    """`up` with DOCKER_HOST on an engine that does not answer names it, and starts none elsewhere."""
    with pytest.raises(EngineError, match=r"tcp://127\.0\.0\.1:9"):
        lifecycle.up()

    assert identity.load() is None


HOLDS = """
import sys
from pathlib import Path
from kitlib.engine import daemon as dockerd
dockerd.RUN = Path(sys.argv[1])
dockerd.hold()
print("held", flush=True)
sys.stdin.read()
"""


def test_an_engine_that_another_command_uses_is_not_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two builds an engine has no container: the process that works with it keeps others from stopping it, until it ends."""
    monkeypatch.setattr(daemon, "RUN", tmp_path)
    monkeypatch.setattr(daemon, "_HELD", {})
    argv = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        daemon.hold()
        with daemon.alone() as alone:
            assert not alone
        other.communicate()
    with daemon.alone() as alone:
        assert alone


def test_where_the_kit_has_no_engine_none_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the folder of the kit's engine there is no lock, and no engine to stop."""
    monkeypatch.setattr(daemon, "RUN", tmp_path / "nowhere")
    monkeypatch.setattr(daemon, "_HELD", {})
    daemon.hold()
    with daemon.alone() as alone:
        assert not alone
