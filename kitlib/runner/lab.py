"""JupyterLab, and beside it all that the chapters need: loopback only, with a token that is kept.

The user's own Jupyter configuration is ignored: with another base_url the address would not be found, and JupyterLab could ask for a
password.  What is set in the browser (theme, shortcuts) is kept in the kit's state folder.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from kitlib import paths
from kitlib.errors import SetupError
from kitlib.host import environment, proc, textfile
from kitlib.host.console import say, step
from kitlib.runner import terminals, workplace

FIRST = "notebooks/0-start.ipynb"
# Nor does what a machine's own configuration says of these, in /etc/jupyter: flags come last.
FLAGS = ("--ServerApp.ip=127.0.0.1", "--ServerApp.base_url=/", "--ServerApp.port=8888", "--ServerApp.port_retries=50",
         "--ServerApp.sock=", "--ServerApp.certfile=", "--ServerApp.keyfile=", "--ServerApp.client_ca=",
         "--ServerApp.default_url=/lab", "--PasswordIdentityProvider.hashed_password=", "--ServerApp.terminals_enabled=True",
         "--ServerApp.jpserver_extensions={'jupyterlab': True, 'kitlib.runner.status_endpoint': True}")  # fmt: skip
JUPYTER = paths.ROOT / "kitlib" / "runner" / "jupyter"
REDIRECT = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={url}"><title>Opening JupyterLab</title></head>
<body><p><a href="{url}">JupyterLab</a></p></body>
</html>
"""


def run() -> int:
    """Start JupyterLab, prepare beside it what the chapters need, open the first chapter, stay until JupyterLab ends."""
    server = _start()
    try:
        url = _address(server)
        say(
            f"JupyterLab:\n\n    {url}\n\nWhat the chapters need is prepared beside it.  "
            "Ctrl-C ends JupyterLab; the cluster stays until ./kit down"
        )
        with _redirect(url) as file, _preparing():
            if not os.environ.get("CI"):
                webbrowser.open(file.as_uri())
            for _ in server.stdout or ():
                pass  # its log goes to the state folder; reading on keeps the pipe from filling
    except KeyboardInterrupt:
        say("JupyterLab ended")
    finally:
        server.terminate()
        server.wait()
    return 0


@contextmanager
def _preparing() -> Iterator[None]:
    """`./kit prepare` while the block runs, or until it is done; it prints its own progress, and its errors."""
    argv = proc.dying([sys.executable, "-m", "kitlib", "prepare"])
    with subprocess.Popen(argv, cwd=paths.ROOT, env=environment.kit(), stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def token() -> str:
    """The server's token: created once, readable by its owner only; recreated when invalid, because JupyterLab would ask for no token."""
    file = paths.state() / "lab-token"
    try:
        found = file.read_text(errors="replace").strip() if file.exists() else ""
        if not re.fullmatch(r"[0-9a-f]{48}", found):
            found = secrets.token_hex(24)
            file.unlink(missing_ok=True)
            _write_private(file, found)
    except OSError as e:
        raise SetupError(f"{file} cannot be used: {textfile.reason(e)}", hint="remove it, then ./kit lab") from e
    return found


@contextmanager
def _redirect(url: str) -> Iterator[Path]:
    """A page that leads to the address, while the block runs: a browser's arguments are in the process list, which every user can read."""
    file = paths.state().resolve() / f"lab-{os.getpid()}.html"
    _write_private(file, REDIRECT.format(url=escape(url)))
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as f:
        f.write(text)


def _start() -> subprocess.Popen[str]:
    """Start JupyterLab.  The token goes by a file: in the environment, each kernel and terminal would have it, and print it on `!env`."""
    variables = workplace.variables()
    settings = Path(workplace.jupyter()["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    _write_private(settings, json.dumps({"IdentityProvider": {"token": token()}}))
    shell, more = terminals.command(os.environ.get("SHELL", ""), paths.state() / "terminals", variables)
    argv = [sys.executable, "-m", "jupyterlab", "--no-browser", *FLAGS]
    argv += [f"--LabApp.extra_labextensions_path={JUPYTER / 'labextensions'}"]
    argv += [f"--ServerApp.root_dir={paths.ROOT}", f"--ServerApp.terminado_settings={{'shell_command': {shell!r}}}"]
    argv += ["--allow-root"] if os.geteuid() == 0 else []
    return subprocess.Popen(
        proc.dying(argv),
        env={**workplace.whole(), **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _answers(address: str) -> None:
    """Return when the server answers: it prints its address a moment before it listens there."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=8, backoff_factor=0.1)))
        session.get(f"{address}api", timeout=30)


def _address(server: subprocess.Popen[str]) -> str:
    """The server's address, from its log; the token is not in the log."""
    seen = []
    with step("waiting for JupyterLab"):
        for line in server.stdout or ():
            seen.append(line.rstrip())
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                _answers(found[0])
                return f"{found[0]}lab/tree/{FIRST}?token={token()}"
    raise SetupError("JupyterLab did not start", observed=seen[-10:], hint="./kit doctor")
