"""JupyterLab beside a live cluster: loopback only, with a token that is kept."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import webbrowser
from pathlib import Path

from kitlib import engine, lifecycle, owner, paths, proc, tools
from kitlib.console import say, step
from kitlib.errors import SetupError

FIRST = "notebooks/0-start.ipynb"


def run() -> int:
    """Start JupyterLab and the cluster side by side, open the first chapter, stay until JupyterLab ends."""
    server = _start()
    try:
        live = lifecycle.up()
        url = _address(server)
        say(
            f"JupyterLab beside cluster {live.owner.cluster}:\n\n    {url}\n\nCtrl-C ends JupyterLab; the cluster stays until ./kit down"
        )
        if not os.environ.get("CI"):
            webbrowser.open(url)
        for _ in server.stdout or ():
            pass  # its log goes to the state folder; reading on keeps the pipe from filling
    except KeyboardInterrupt:
        say("JupyterLab ended")
    finally:
        server.terminate()
        server.wait()
    return 0


def token() -> str:
    """The server's token: made once, readable by its owner only."""
    file = paths.state() / "lab-token"
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as f:
            f.write(secrets.token_hex(24))
    return file.read_text()


def _start() -> subprocess.Popen[str]:
    """The token goes by the environment: a process list shows arguments to everyone."""
    argv = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={paths.ROOT}",
    ]
    argv += ["--allow-root"] if os.geteuid() == 0 else []
    environment = {**os.environ, **_tools(), "JUPYTER_TOKEN": token()}
    return subprocess.Popen(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=proc.DIES_WITH_PARENT,
    )


def _tools() -> dict[str, str]:
    """A terminal in JupyterLab finds the kit's tools and its cluster; JupyterLab asks nobody outside for news."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], str(tools.docker().parent)]),
        "DOCKER_CONFIG": str(engine.client_configuration()),
        "KUBECONFIG": str(owner.kubeconfig()),
        "JUPYTER_CONFIG_PATH": str(paths.ROOT / "kitlib" / "jupyter"),
    }


def _address(server: subprocess.Popen[str]) -> str:
    """The server says where it is; the token is not in its log."""
    seen = []
    with step("waiting for JupyterLab"):
        for line in server.stdout or ():
            seen.append(line.rstrip())
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                return f"http://127.0.0.1:{found[1]}/lab/tree/{FIRST}?token={token()}"
    raise SetupError("JupyterLab did not start", observed=seen[-10:], hint="./kit doctor")
