"""What this machine has, against what the kit needs."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil

from kitlib import dockerd, engine, paths

Level = Literal["ok", "warning", "problem"]
GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `next` is what to do when level is not ok."""

    name: str
    level: Level
    seen: str
    next: str = ""


def examine() -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    checks: list[Callable[[], Finding]] = [_engine, _disk, _memory, _ports, _cgroups, _inotify]
    return [check() for check in checks]


def as_json(findings: list[Finding]) -> list[dict[str, str]]:
    return [asdict(f) for f in findings]


def _engine() -> Finding:
    found = engine.connect()
    if found:
        about = engine.describe()
        return Finding(
            "engine",
            "ok",
            f"{about['version']}, {about['storage_driver']}, cgroup {about['cgroup']}"
            + (", started by the kit" if found.ours else ""),
        )
    if reason := dockerd.possible():
        return Finding(
            "engine", "problem", f"none answers, and the kit cannot start one: {reason}", "start Docker, or install it"
        )
    return Finding("engine", "ok", "none runs; ./kit up builds and starts one")


def _disk() -> Finding:
    folders = {f: _existing(f) for f in (paths.cache(), dockerd.DATA)}
    free = {str(f): shutil.disk_usage(real).free / GIB for f, real in folders.items()}
    seen = ", ".join(f"{gib:.0f} GiB free for {f}" for f, gib in free.items())
    if min(free.values()) < 15:
        return Finding(
            "disk",
            "problem",
            seen,
            "free some space: building every image takes up to 15 GiB; ./kit down --images frees the kit's own",
        )
    return Finding(
        "disk", "ok" if min(free.values()) > 30 else "warning", seen, "./kit down --images frees the kit's own"
    )


def _memory() -> Finding:
    available = psutil.virtual_memory().available / GIB
    seen = f"{available:.1f} GiB available"
    if available < 3:
        return Finding(
            "memory",
            "problem",
            seen,
            "the cluster and a notebook need 3 GiB: close something, or give the machine more",
        )
    return Finding("memory", "ok", seen)


def _ports() -> Finding:
    try:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
    except OSError as e:
        return Finding(
            "ports",
            "problem",
            f"no port on 127.0.0.1 can be bound: {e}",
            "the kit uses free ports of the loopback address: allow them",
        )
    return Finding("ports", "ok", "free ports on 127.0.0.1 can be bound; no fixed port is needed")


def _cgroups() -> Finding:
    v2 = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    if v2 and os.environ.get("KIT_SUPPLY") == "packages":
        return Finding(
            "cgroups",
            "problem",
            "v2, which the node image of the supply `packages` does not support yet",
            "KIT_SUPPLY=upstream",
        )
    return Finding("cgroups", "ok", "v2" if v2 else "v1")


def _inotify() -> Finding:
    folder = Path("/proc/sys/fs/inotify")
    if not folder.exists():
        return Finding("inotify", "ok", "no limits here")
    watches, instances = (int((folder / f).read_text()) for f in ("max_user_watches", "max_user_instances"))
    seen = f"{watches} watches, {instances} instances"
    if watches < 65536 or instances < 128:
        return Finding(
            "inotify", "warning", seen, "sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"
        )
    return Finding("inotify", "ok", seen)


def _existing(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next(f for f in (folder, *folder.parents) if f.exists())
