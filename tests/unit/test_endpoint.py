"""Which container engine the user means, and one line for whatever is wrong with what names it."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from kitlib import cli
from kitlib.engine import client as engine
from kitlib.engine import endpoint
from kitlib.engine.endpoint import Endpoint
from kitlib.errors import EngineError
from kitlib.runner import doctor
from kitlib.supply import choice as supply

SOCKET = Path("/var/run/docker.sock")


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's ~/.docker, empty, and no variable that names an engine."""
    for name in [name for name in os.environ if name.startswith("DOCKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("KIT_USER_DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "kit"))
    folder = tmp_path / ".docker"
    folder.mkdir()
    return folder


def context(docker: Path, name: str, text: str | dict[str, Any]) -> Path:
    """A context's file; returns the folder of its certificates."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    file = docker / "contexts" / "meta" / digest / "meta.json"
    file.parent.mkdir(parents=True)
    file.write_text(text if isinstance(text, str) else json.dumps(text))
    tls = docker / "contexts" / "tls" / digest / "docker"
    tls.mkdir(parents=True)
    return tls


def at(host: str, **more: object) -> dict[str, Any]:
    return {"Name": "x", "Metadata": {}, "Endpoints": {"docker": {"Host": host, **more}}}


def current(docker: Path, name: object) -> None:
    (docker / "config.json").write_text(json.dumps({"currentContext": name}))


def test_nothing_said() -> None:
    """The default socket."""
    assert endpoint.find(SOCKET) == Endpoint(f"unix://{SOCKET}")


@pytest.mark.parametrize("by", ["config.json", "DOCKER_CONTEXT"])
def test_a_context(by: str, docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of the context that config.json or DOCKER_CONTEXT names."""
    context(docker, "mine", at("unix:///mine.sock"))
    if by == "config.json":
        current(docker, "mine")
    else:
        current(docker, "another")
        monkeypatch.setenv("DOCKER_CONTEXT", "mine")

    assert endpoint.find(SOCKET).host == "unix:///mine.sock"


def test_docker_host_wins(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOCKER_HOST counts before any context, as it does for docker; one that is broken is not looked at."""
    (docker / "config.json").write_text("{")
    monkeypatch.setenv("DOCKER_CONTEXT", "missing")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")

    assert endpoint.find(SOCKET).environment() == {"DOCKER_HOST": "tcp://127.0.0.1:2375"}


def test_a_context_with_certificates(docker: Path) -> None:
    """docker, buildx and kind get the folder by DOCKER_CERT_PATH, the docker package the files."""
    tls = context(docker, "far", at("tcp://engine.example:2376", SkipTLSVerify=False))
    for name in ("ca", "cert", "key"):
        (tls / f"{name}.pem").write_text("")
    current(docker, "far")
    found = endpoint.find(SOCKET)
    seen = found.tls()

    assert found.environment() == {
        "DOCKER_HOST": "tcp://engine.example:2376",
        "DOCKER_CERT_PATH": str(tls),
        "DOCKER_TLS_VERIFY": "1",
    }
    assert seen and (seen.cert, seen.ca_cert) == ((f"{tls}/cert.pem", f"{tls}/key.pem"), f"{tls}/ca.pem")


def test_tls_by_variables(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOCKER_TLS_VERIFY and DOCKER_CERT_PATH are handed on; without a path it is the user's ~/.docker."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")

    assert endpoint.find(SOCKET).environment()["DOCKER_CERT_PATH"] == str(docker)


BROKEN = {
    "a missing context": ({"currentContext": "desktop-linux"}, None, "desktop-linux"),
    "a name that is none": ({"currentContext": 7}, None, "currentContext"),
    "no JSON": ("{", None, "config.json cannot be read"),
    "a list": ([], None, "config.json is not an object"),
    "a context that is no JSON": ({"currentContext": "it"}, "{", "meta.json cannot be read"),
    "a context that is a list": ({"currentContext": "it"}, "[]", "meta.json is not an object"),
    "a context without an endpoint": ({"currentContext": "it"}, "{}", "names no endpoint"),
    "endpoints that are no object": ({"currentContext": "it"}, '{"Endpoints": []}', "names no endpoint"),
    "ssh": ({"currentContext": "it"}, json.dumps(at("ssh://me@there")), "behind ssh"),
    "no address": ({"currentContext": "it"}, json.dumps(at("nonsense:a:b")), "no address of an engine"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_said_in_one_line(case: str, docker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`up` ends with the context and its file, and a next step; `doctor` lists it as a problem; `status` shows the rest."""
    config, meta, words = BROKEN[case]
    (docker / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    if meta is not None:
        context(docker, "it", meta)
    with pytest.raises(EngineError) as caught:
        engine.ensure()
    finding = doctor.examine()[0]

    assert words in caught.value.message and str(docker) in caught.value.message
    assert "\n" not in caught.value.message
    assert "DOCKER_CONTEXT=default ./kit" in caught.value.hint
    assert (finding.level, finding.seen, finding.next) == ("problem", caught.value.message, caught.value.hint)
    assert cli.main(["status"]) == 0
    assert caught.value.message in capsys.readouterr().out


@pytest.mark.parametrize("host", ["ssh://me@there", "nonsense:a:b", "npipe://x y"])
def test_docker_host_that_cannot_be_used(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with the way back to this machine's own engine."""
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineError, match="DOCKER_HOST=") as caught:
        engine.ensure()

    assert "env -u DOCKER_HOST" in caught.value.hint


def test_an_engine_that_is_named_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the named engine does not answer, none is started in its place."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(
        EngineError,
        match=r"^no container engine answers at DOCKER_HOST=tcp://127\.0\.0\.1:1, and the kit starts none elsewhere\n",
    ):
        engine.ensure()


def test_a_missing_context_stops_no_stamp(docker: Path) -> None:
    """Chapters that need no engine run where Docker's configuration is broken."""
    current(docker, "desktop-linux")

    assert engine.describe() == {}
    assert supply._first_that_works() == "packages"


def test_the_users_configuration_is_not_the_docker_packages(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the kit's own configuration, so that containers get no proxies from the user's; and the variable is as before."""
    monkeypatch.setenv("DOCKER_CONFIG", str(docker))
    with engine._own_configuration():
        assert json.loads((Path(os.environ["DOCKER_CONFIG"]) / "config.json").read_text()) == {"auths": {}}
        assert os.environ["DOCKER_CONFIG"] != str(docker)

    assert os.environ["DOCKER_CONFIG"] == str(docker)


def test_a_pull_signs_in_as_the_user(docker: Path) -> None:
    """What `docker login` has stored is shown to that registry, and to no other."""
    (docker / "config.json").write_text(json.dumps({"auths": {"mine.example": {"auth": "bWU6c2VjcmV0"}}}))
    seen = engine._login("mine.example/app:1")

    assert seen and (seen["username"], seen["password"]) == ("me", "secret")
    assert engine._login("docker.io/library/registry:3") is None
