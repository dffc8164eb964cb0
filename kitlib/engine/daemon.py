"""A container engine of the kit's own, for a Debian machine where none runs and none can be pulled.

Built from the modules moby, containerd and runc; it has its own data folder, so that an engine that was installed before is left alone.
Debian 12's dockerd 20.10 asks for CAP_SYS_RESOURCE in privileged containers, which small virtual machines may lack; Docker 29 does not.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kitlib.errors import EngineError
from kitlib.host import debian, environment, proc, tools
from kitlib.host.console import step

LABEL = "local.kit.engine"
SOCKET = Path("/var/run/docker.sock")
RUN = Path("/run/kit-engine")
DATA = Path(os.environ.get("KIT_ENGINE_DATA") or "/var/lib/kit-engine")
LOG = Path("/var/log/kit-engine.log")
PACKAGES = ["gcc", "iproute2", "iptables", "kmod", "libc6-dev", "libseccomp-dev", "pigz", "pkg-config"]
READY_SECONDS = 60.0
_HELD: dict[str, int] = {}  # descriptor of the lock that this process holds
SETTINGS = {
    "builder": {"gc": {"enabled": True, "defaultKeepStorage": "10GB"}}
}  # BuildKit's cache grows without bound otherwise


def possible() -> str:
    """Empty when the kit can run its own engine here, otherwise the reason why not."""
    if shutil.which("dockerd"):
        return "Docker is installed but does not answer"
    return debian.usable()


def start() -> None:
    """Build the engine if need be, start it detached, return when it answers.  Raises EngineError with the end of its log."""
    debian.need(PACKAGES, why="a container engine")
    folders = [tools.build(m) for m in ("containerd", "runc", "moby")]
    RUN.mkdir(parents=True, exist_ok=True)
    with step("starting the container engine"), tempfile.TemporaryDirectory() as tmp:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with notify:
            notify.bind(f"{tmp}/notify")
            notify.settimeout(READY_SECONDS)
            daemon = _spawn(folders, f"{tmp}/notify")
            _await_ready(notify, daemon)


def identity() -> str:
    """The ID of the engine that `start` starts, also while it does not run; empty when none was ever started here."""
    try:
        return (DATA / "engine-id").read_text().strip()
    except OSError:
        return ""


def hold() -> None:
    """Keep other commands of the kit from stopping the engine while this process lives: between two builds it has no container."""
    if "lock" not in _HELD and (descriptor := _users()) is not None:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        _HELD["lock"] = descriptor


@contextmanager
def alone() -> Iterator[bool]:
    """Whether no other process of the kit works with the engine; if so, none begins while the block runs."""
    descriptor = _HELD.get("lock")
    if descriptor is None:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def _users() -> int | None:
    """The file that is locked; the operating system frees it when a process dies.  None where the kit has no engine."""
    try:
        return os.open(RUN / "users", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None


def stop(data: Path = DATA) -> None:
    """End the engine that `start` started; nothing when it does not run.  data: its folder, which is unmounted."""
    pid = _pid()
    if pid is None:
        return
    import psutil

    with step("stopping the container engine"):
        descriptor = os.pidfd_open(pid)
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        _await_exit(descriptor)
        for mount in psutil.disk_partitions(all=True):
            if mount.mountpoint == str(data):  # dockerd mounts its folder onto itself, and does not always undo it
                proc.run(["umount", data])


def _spawn(folders: list[Path], notify: str) -> subprocess.Popen[bytes]:
    settings = RUN / "daemon.json"
    settings.write_text(json.dumps(SETTINGS))
    argv: list[str | Path] = [
        folders[-1] / "dockerd",
        *("--config-file", settings),
        *("--data-root", DATA, "--exec-root", RUN / "exec", "--pidfile", _pidfile(), "--host", f"unix://{SOCKET}"),
        *("--feature", "containerd-snapshotter=false", "--label", f"{LABEL}=1"),
    ]
    with LOG.open("ab") as log:
        return subprocess.Popen(
            argv,
            env={**environment.base(), "PATH": environment.on_path(*folders), "NOTIFY_SOCKET": notify},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_ready(notify: socket.socket, daemon: subprocess.Popen[bytes]) -> None:
    """The daemon says READY=1 by sd_notify(3) when its API answers."""
    try:
        while b"READY=1" not in notify.recv(4096):
            pass
    except TimeoutError as e:
        daemon.terminate()
        tail = LOG.read_text(errors="replace").splitlines()[-15:]
        raise EngineError(
            f"the engine did not start in {READY_SECONDS:.0f} s", observed=tail, hint=f"read {LOG}"
        ) from e


def _await_exit(descriptor: int) -> None:
    import select

    if not select.select([descriptor], [], [], READY_SECONDS)[0]:
        raise EngineError("the engine does not stop", hint=f"read {LOG}")
    os.close(descriptor)


def _pidfile() -> Path:
    return RUN / "docker.pid"


def _pid() -> int | None:
    """The engine's process, only when it really is the kit's dockerd."""
    try:
        pid = int(_pidfile().read_text())
        return pid if Path(f"/proc/{pid}/exe").readlink().name == "dockerd" else None
    except (OSError, ValueError):
        return None
