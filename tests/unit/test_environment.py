"""What of the user's environment reaches the programs that the kit starts."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kitlib.cluster import lifecycle
from kitlib.engine import client as engine
from kitlib.host import environment, proc, tools
from kitlib.host.environment import ALLOWED, LOOPBACK, To
from kitlib.host.identity import Identity
from kitlib.kube import kustomize
from kitlib.runner import terminals, workplace

KEPT_OUT = (
    "DOCKER_DEFAULT_PLATFORM DOCKER_BUILDKIT DOCKER_CONTENT_TRUST BUILDX_BUILDER BUILDX_CONFIG BUILDKIT_HOST BUILDKIT_PROGRESS "
    "SOURCE_DATE_EPOCH COMPOSE_FILE COMPOSE_PROJECT_NAME KIND_EXPERIMENTAL_PROVIDER KIND_CLUSTER_NAME "
    "GOAMD64 GOARM64 GO111MODULE GOTRACEBACK GODEBUG GOGC GOMEMLIMIT GOMAXPROCS GOEXPERIMENT GOFLAGS CGO_ENABLED CGO_CFLAGS CC CXX "
    "PIP_USER PIP_TARGET PIP_REQUIRE_VIRTUALENV PYTHONPATH PYTHONHOME PYTHONSTARTUP "
    "JUPYTER_PATH JUPYTER_CONFIG_DIR JUPYTER_TOKEN IPYTHONDIR JPY_SESSION_NAME MPLBACKEND MATPLOTLIBRC "
    "KUBECONFIG KUBE_EDITOR KUBECTL_EXTERNAL_DIFF OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_ENDPOINT LD_PRELOAD DYLD_INSERT_LIBRARIES "
    "XDG_CONFIG_HOME XDG_DATA_HOME GIT_DIR GIT_SSH_COMMAND NODE_OPTIONS JAVA_TOOL_OPTIONS MAVEN_OPTS JAVA_HOME BASH_ENV ENV "
    "AWS_SECRET_ACCESS_KEY ANYTHING_ELSE"
)
NEEDED = (
    "HOME TMPDIR LANG LC_ALL TZ HTTP_PROXY https_proxy SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT "
    "NODE_EXTRA_CA_CERTS"
)
Start = Callable[[], dict[str, str]]


def _run() -> dict[str, str]:
    return _read(proc.run(["env", "-0"]))


def _transcript() -> dict[str, str]:
    return _read(proc.transcript(["env", "-0"]))


def _beside() -> dict[str, str]:
    with proc.background(["env", "-0"]) as running:
        return _read("".join(running.stdout))


def _stream() -> dict[str, str]:
    with proc.stream(["env", "-0"], env={}) as out:
        return _read(out.read().decode())


def _read(said: str) -> dict[str, str]:
    return dict(entry.partition("=")[::2] for entry in said.split("\0") if entry)


@pytest.mark.parametrize("start", [_run, _transcript, _beside, _stream])
def test_a_program_gets_what_is_allowed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the kit starts it: what it needs is there, and nothing that no row names."""
    for name in (KEPT_OUT + " " + NEEDED).split():
        monkeypatch.setenv(name, "/it")
    seen = start()

    assert [name for name in KEPT_OUT.split() if name in seen] == []
    assert [name for name in NEEDED.split() if name not in seen] == []


@pytest.mark.parametrize("of", [tools.go_env, environment.kit, workplace.whole], ids=["go", "kit", "kernels"])
def test_nobody_gets_all(of: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go, the kit in another process and kernels get more, each by a row; but none of the user's other settings."""
    for name in KEPT_OUT.split():
        monkeypatch.setenv(name, "/it")

    assert [name for name, value in of().items() if value == "/it"] == []


def test_every_row_says_why() -> None:
    """A row has names, receivers and a reason, and no name stands in two."""
    names = [name for row in ALLOWED for name in row.names.split()]

    assert all(row.why and row.to for row in ALLOWED)
    assert sorted(names) == sorted(set(names))
    assert {to for row in ALLOWED for to in row.to} == set(To)


@pytest.mark.parametrize("case", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_nothing_of_this_machine_is_asked_of_a_proxy(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any proxy variable, NO_PROXY has loopback and the kit's names, in both cases."""
    _no_proxies(monkeypatch)
    monkeypatch.setenv(case, "http://proxy.example:3128")
    seen = _run()

    assert seen[case] == "http://proxy.example:3128"
    for name in ("NO_PROXY", "no_proxy"):
        assert {*LOOPBACK, "kit.local", ".svc"} <= set(seen[name].split(","))


@pytest.mark.parametrize("case", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_extended(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user wants past the proxy stays, before what is added, once each."""
    _no_proxies(monkeypatch)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv(case, "intern.example, 127.0.0.1")
    seen = environment.proxies("kit-registry")["NO_PROXY"].split(",")

    assert seen[:2] == ["intern.example", "127.0.0.1"]
    assert seen.count("127.0.0.1") == 1
    assert "kit-registry" in seen


def test_without_a_proxy_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has no proxy gets no variable for one."""
    _no_proxies(monkeypatch)

    assert environment.proxies("kit-registry") == {}


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:3128", "localhost:8080", "http://u:p@[::1]:1"])
def test_a_proxy_on_loopback_stays_here(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node has a loopback address of its own, on which there is no proxy: it is not sent there."""
    _no_proxies(monkeypatch)
    monkeypatch.setenv("HTTP_PROXY", proxy)

    assert environment.proxies(away=True) == {}
    assert environment.proxies()["HTTP_PROXY"] == proxy


def test_nodes_reach_the_registries_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What kind makes the nodes' environment of names both registries and every node, and has the proxy as it is."""
    _no_proxies(monkeypatch)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setattr(tools, "path", lambda: "/bin")
    seen = lifecycle._proxies(Identity("mine", "mark", "now", profile="two-node"))

    assert {"mine-registry", "mine-private", "mine-control-plane", "mine-worker"} <= set(seen["NO_PROXY"].split(","))
    assert (seen["https_proxy"], seen["no_proxy"]) == ("http://proxy.example:3128", seen["NO_PROXY"])


def test_nodes_get_no_proxy_that_they_cannot_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """kind itself gets no proxy, where the user's is on this machine's loopback."""
    _no_proxies(monkeypatch)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:3128")
    monkeypatch.setattr(tools, "path", lambda: "/bin")
    seen = lifecycle._proxies(Identity("mine", "mark", "now"))

    assert {name: value for name, value in seen.items() if value and name != "PATH"} == {}


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_an_engine_on_loopback_is_not_asked_by_a_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The docker package goes by proxy variables for an engine at a TCP address: no connection comes to the proxy."""
    _no_proxies(monkeypatch)
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "intern.example")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
        answer = engine.connect()
        proxy.settimeout(0)
        with pytest.raises(BlockingIOError):
            proxy.accept()

    assert answer is None


def test_a_learners_program_has_what_a_cell_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `%env` sets since the process began is meant for the program; how a crash is printed stays the kit's."""
    monkeypatch.setenv("GREETING", "hello")
    monkeypatch.setenv("GOTRACEBACK", "none")
    seen = environment.program()

    assert (seen["GREETING"], seen["GOTRACEBACK"]) == ("hello", "single")


def test_a_learners_program_has_nothing_else(tmp_path: Path) -> None:
    """A variable with which this process was started, and which no row names, does not reach a Go cell's program."""
    script = "from kitlib.host import environment; print('GOMAXPROCS' in environment.program(), 'TERM' in environment.program())"
    env = {**environment.kit(), "GOMAXPROCS": "1", "TERM": "xterm"}

    assert proc.run([sys.executable, "-c", script], env=env, cwd=tmp_path).split() == ["False", "True"]


def test_a_kernel_speaks_to_the_kits_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its environment has the kit's kubectl first, the kit's kubeconfig and docker's configuration, and no kuberc."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    seen = workplace.whole()

    assert seen["PATH"].split(os.pathsep)[0] == str(kustomize.KUBECTL.parent)
    assert seen["KUBECONFIG"].startswith(str(tmp_path))
    assert seen["DOCKER_CONFIG"] == str(tmp_path / "docker")
    assert (seen["KUBERC"], "DOCKER_CONTEXT" in seen) == ("off", False)


def test_importing_the_kit_in_a_kernel_is_enough(tmp_path: Path) -> None:
    """In a kernel that another program started, `!kubectl` is the kit's after `import kitlib`."""
    script = (
        "from IPython.core.interactiveshell import InteractiveShell as S; S.instance(); import kitlib, os;"
        "print(os.environ['KUBECONFIG'], os.environ['KUBERC'], 'DOCKER_DEFAULT_PLATFORM' in os.environ)"
    )
    theirs = {"KUBECONFIG": "/other", "DOCKER_DEFAULT_PLATFORM": "linux/arm64", "KIT_HOME": str(tmp_path)}
    said = proc.run([sys.executable, "-c", script], env={**environment.kit(), **theirs}).split()

    assert (said[0].startswith(str(tmp_path)), said[1:]) == (True, ["off", "False"])


RC = """\
export KUBECONFIG=/other PATH=/usr/bin:/bin MINE=kept DOCKER_CONTEXT=other
alias kubectl='echo another kubectl'
kubectl_of_mine() { echo mine; }
"""
ASK = 'echo "$KUBECONFIG|$KUBERC|$MINE|$DOCKER_CONTEXT|$(command -v kubectl)"\n'


@pytest.mark.parametrize(
    ("shell", "rc"), [("/bin/bash", ".bashrc"), ("/bin/bash", ".profile"), ("/bin/nosuchsh", ".profile")]
)
def test_a_terminal_speaks_to_the_kits_cluster(shell: str, rc: str, tmp_path: Path) -> None:
    """Whatever the user's start file says of KUBECONFIG, PATH and kubectl; what else it says counts."""
    (tmp_path / rc).write_text(RC)
    variables = {
        "KUBECONFIG": "/kit's own/config",
        "KUBERC": "off",
        "PATH": f"{kustomize.KUBECTL.parent}:/usr/bin:/bin",
    }
    argv, more = terminals.command(shell, tmp_path / "t", variables)
    said = proc.run(argv, env={**variables, **more, "HOME": str(tmp_path)}, stdin=ASK)

    assert said.splitlines()[-1] == f"/kit's own/config|off|kept||{kustomize.KUBECTL}"


def test_a_terminal_that_cannot_speak_to_it_ends(tmp_path: Path) -> None:
    """A start file that makes KUBECONFIG read-only: the terminal says so, and no command runs there."""
    (tmp_path / ".bashrc").write_text("readonly KUBECONFIG=/other\n")
    variables = {"KUBECONFIG": "/kit/config", "PATH": "/usr/bin:/bin"}
    argv, _ = terminals.command("/bin/bash", tmp_path / "t", variables)
    said = proc.transcript(argv, env={**variables, "HOME": str(tmp_path)}, check=False)

    assert "kubectl would speak to another cluster" in said


@pytest.mark.parametrize(("shell", "words"), [("zsh", ["-i"]), ("fish", ["--interactive", "--init-command"])])
def test_other_shells_read_the_kits_file_last(shell: str, words: list[str], tmp_path: Path) -> None:
    """zsh by the kit's own ZDOTDIR, which reads the user's files first; fish by what it runs after its configuration."""
    argv, more = terminals.command(f"/usr/bin/{shell}", tmp_path, {"KUBECONFIG": "/kit/config", "PATH": "/a:/b"})

    assert argv[1 : 1 + len(words)] == words
    if shell == "zsh":
        assert more == {"ZDOTDIR": str(tmp_path)}
        assert (tmp_path / ".zshrc").read_text().splitlines()[-1] == f". {tmp_path}/kit.sh"
    else:
        assert "set -gx KUBECONFIG '/kit/config'\nset -gx PATH '/a' '/b'" in (tmp_path / "kit.fish").read_text()


def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.PROXIES.split():
        monkeypatch.delenv(name, raising=False)
