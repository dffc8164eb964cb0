"""JupyterLab as `./kit lab` starts it, on a machine whose user has a Jupyter configuration; and what a browser is given."""

import json
import os
import stat
import subprocess
import sys
import threading
import webbrowser
from collections import deque
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import pytest
import requests
import websocket

from kitlib.host.preparation import Preparation
from kitlib.kube import kustomize
from kitlib.runner import lab

SECONDS = 60
CONFIG = """\
c.ServerApp.base_url = "/mine/"
c.ServerApp.port = 9999
c.PasswordIdentityProvider.hashed_password = "argon2:x"
"""
KERNEL = {"argv": ["/bin/false"], "display_name": "mine", "language": "python"}
ASK = """\
import os
names = ("KUBERC", "OTEL_TRACES_EXPORTER", "JUPYTER_TOKEN")
print("|".join([str("MINE" in globals()), *(os.environ.get(name, "") for name in names)]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The address, and the process' id."""
    home = tmp_path_factory.mktemp("home")
    for name, text in {
        ".jupyter/jupyter_server_config.py": CONFIG,
        ".ipython/profile_default/startup/00.py": "MINE = 1\n",
        "share/kernels/python3/kernel.json": json.dumps(KERNEL),
        ".bashrc": "export KUBECONFIG=/other MINE=kept\nalias kubectl='echo other'\n",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("KIT_HOME", str(home / "kit"))
        patch.setenv("SHELL", "/bin/bash")
        patch.setenv("JUPYTER_PATH", str(home / "share"))
        patch.setenv("OTEL_TRACES_EXPORTER", "console")
        process = lab._start()
        address = lab._address(process)
        threading.Thread(target=deque, args=(process.stdout, 0), daemon=True).start()
        yield address, process.pid
        process.terminate()
        process.wait(SECONDS)


def test_the_printed_address_leads_there(server: tuple[str, int]) -> None:
    """Whatever base_url, port and password the user's configuration has: the address opens the first chapter."""
    address, _ = server
    answer = _session().get(address, timeout=SECONDS)

    assert (answer.status_code, urlsplit(answer.url).path) == (200, "/lab/tree/notebooks/0-start.ipynb")
    assert "jupyter-config-data" in answer.text


def test_the_status_bar_says_what_is_prepared(server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """JupyterLab has the kit's item, which asks the server; the server answers with the token only."""
    address, pid = server
    parts = urlsplit(address)
    header = {"Authorization": f"token {parts.query.removeprefix('token=')}"}
    monkeypatch.setenv("KIT_HOME", psutil.Process(pid).environ()["KIT_HOME"])
    Preparation(chapters=(3, 16)).save()
    page = _session().get(address, timeout=SECONDS).text
    script = _session().get(
        f"http://{parts.netloc}/lab/extensions/cloudnative-go-kit/static/status.js", timeout=SECONDS
    )
    status = f"http://{parts.netloc}/kit/status"

    assert '"name": "cloudnative-go-kit"' in page
    assert "registerStatusItem" in script.text
    assert _session().get(status, timeout=SECONDS).status_code == 403
    assert _session().get(status, headers=header, timeout=SECONDS).json() == {
        "text": "kit: 3 of 16 chapters are ready",
        "running": False,
    }


def test_no_process_shows_the_token(server: tuple[str, int]) -> None:
    """Arguments are for everyone to read, and the environment for each kernel to print: the token is in neither."""
    address, pid = server
    process = psutil.Process(pid)
    token = urlsplit(address).query.removeprefix("token=")

    assert len(token) == 48
    assert token not in " ".join(process.cmdline())
    assert token not in process.environ().values()


def test_kernels_are_the_kits(server: tuple[str, int]) -> None:
    """Neither a kernel of the user's of the same name counts, nor IPython's start files, nor what is exported."""
    address, _ = server
    with _channel(server, "kernels", {"name": "python3"}, "/channels") as channel:
        channel.send(json.dumps(_request(ASK)))
        said = ""
        while not said:
            message = json.loads(channel.recv())
            said = message["content"].get("text", "") if message["msg_type"] == "stream" else ""

    assert address
    assert said.strip() == "False|off||"


def test_a_terminal_has_the_kits_cluster(server: tuple[str, int]) -> None:
    """Its bash has read the user's start file, and speaks to the kit's cluster all the same."""
    with _channel(server, "terminals", None, "", kind="terminals/websocket") as channel:
        channel.send(json.dumps(["stdin", 'echo "<$MINE|$KUBECONFIG|$(type -p kubectl)>"\r']))
        said = ""
        while "<kept|" not in said or not said.rstrip().endswith(("#", "$")):
            said += str(json.loads(channel.recv())[-1])

    assert "/kit/clusters/" in said
    assert f"|{kustomize.KUBECTL}>" in said


def test_a_browser_gets_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file leads to the address, only its owner can read it, and it is gone when JupyterLab ends."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    server = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.DEVNULL, text=True)
    monkeypatch.setattr(lab, "_start", lambda: server)
    monkeypatch.setattr(lab, "_address", lambda _: "http://127.0.0.1:8888/lab?token=secret&x=1")
    monkeypatch.setattr(lab, "_preparing", nullcontext)
    opened: list[tuple[str, int, str]] = []

    def look(url: str) -> bool:
        file = Path(unquote(urlsplit(url).path))
        opened.append((url, stat.S_IMODE(file.stat().st_mode), file.read_text()))
        return True

    monkeypatch.setattr(webbrowser, "open", look)
    before = os.umask(0)
    try:
        assert lab.run() == 0
    finally:
        os.umask(before)
    ((url, mode, text),) = opened

    assert (url.startswith("file:///"), "secret" in url, mode) == (True, False, 0o600)
    assert 'content="0;url=http://127.0.0.1:8888/lab?token=secret&amp;x=1"' in text
    assert not Path(unquote(urlsplit(url).path)).exists()


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _channel(
    server: tuple[str, int], what: str, body: dict[str, str] | None, end: str, *, kind: str = ""
) -> closing[websocket.WebSocket]:
    """A websocket to a new kernel or terminal."""
    parts = urlsplit(server[0])
    header = {"Authorization": f"token {parts.query.removeprefix('token=')}"}
    made = _session().post(f"http://{parts.netloc}/api/{what}", headers=header, json=body, timeout=SECONDS).json()
    path = f"{kind or f'api/{what}'}/{made.get('id') or made['name']}{end}"
    address = f"ws://{parts.netloc}/{path}"
    return closing(websocket.create_connection(address, header=header, timeout=SECONDS, http_no_proxy=["*"]))


def _request(code: str) -> dict[str, object]:
    header = {"msg_id": "1", "username": "", "session": "1", "msg_type": "execute_request", "version": "5.3"}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
        "content": {"code": code, "silent": False},
    }
