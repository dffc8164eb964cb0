"""The machine's resources, compared with the kit's needs."""

from __future__ import annotations

import math
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil

from kitlib import paths
from kitlib.engine import client as engine
from kitlib.engine import daemon
from kitlib.errors import EngineError, InputError, KitError
from kitlib.host import identity, limits, textfile
from kitlib.supply import choice as supply
from kitlib.telemetry import watermarks

Level = Literal["ok", "warning", "problem"]
GIB = 2**30


@dataclass(frozen=True)
class Need:
    """free: what two nodes with all stacks use of a limit, with a margin.  enough: the value to set it to."""

    free: int
    enough: int


NEEDED = {  # a control plane takes 28 instances of inotify, a second node 14, and each `logs -f` one
    "fs.inotify.max_user_instances": Need(64, 512),
    "fs.inotify.max_user_watches": Need(65_536, 524_288),
    "fs.file-max": Need(65_536, 1_048_576),
    "kernel.pid_max": Need(8_192, 4_194_304),
}


@dataclass(frozen=True)
class Finding:
    """The result of one check; `next` is the step to take when level is not ok."""

    name: str
    level: Level
    seen: str
    next: str = ""


def examine() -> list[Finding]:
    """Look at everything; never raises for what it finds.  Settings are among the findings when one of them is wrong."""
    checks: list[Callable[[], Finding]] = [_engine, _disk, _memory, _ports, _cgroups, _inotify]
    return [*_settings(), *map(_looked, checks)]


def as_json(findings: list[Finding]) -> list[dict[str, str]]:
    """The findings as JSON-like data, one dict per finding."""
    return [asdict(f) for f in findings]


def _looked(check: Callable[[], Finding]) -> Finding:
    """The result of a check; a check that breaks off is also a finding."""
    name = check.__name__.strip("_")
    try:
        return check()
    except KitError as e:
        return Finding(name, "problem", e.message, e.hint or "correct that")
    except Exception as e:  # noqa: BLE001  # no /proc, an engine whose answer does not fit its API
        seen = textfile.one_line(f"this cannot be found out here: {type(e).__name__}: {e}")
        return Finding(name, "warning", seen, "go on if everything else is ok; ./kit up says when it is not")


def _settings() -> Iterator[Finding]:
    """Errors in the environment's KIT_... variables, one finding per variable, and in the record of the cluster."""
    for check in (paths.state, paths.cache, paths.results, identity.cluster_name, supply.named, _profile, _record):
        try:
            check()
        except KitError as e:
            yield Finding("settings", "problem", e.message, e.hint)


def _profile() -> None:
    profile = os.environ.get("KIT_PROFILE") or "quick"
    if profile not in ("quick", "full"):
        raise InputError(f"KIT_PROFILE={textfile.one_line(profile[:80])} is not a profile", hint="one of quick, full")


def _record() -> None:
    with suppress(InputError):  # of the variables, reported above
        identity.load()


def _engine() -> Finding:
    if found := engine.connect():
        about = engine.describe()
        return Finding(
            "engine",
            "ok",
            f"{about['version']}, {about['storage_driver']}, cgroup {about['cgroup']}"
            + (", started by the kit" if found.ours else ""),
        )
    if reason := daemon.possible():
        return Finding(
            "engine", "problem", f"none answers, and the kit cannot start one: {reason}", "start Docker, or install it"
        )
    return Finding("engine", "ok", "none runs; ./kit up builds and starts one")


def _disk() -> Finding:
    data = _data()
    folders = {f: _existing(f) for f in (paths.cache(), data)}
    free = {str(f): shutil.disk_usage(real).free / GIB for f, real in folders.items()}
    seen = ", ".join(f"{gib:.0f} GiB free for {f}" for f, gib in free.items())
    if mark := watermarks.passed(free[str(data)] * GIB, math.inf, watermarks.declared()):
        seen += f"; the stack of the logs has {mark}"
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
    found = limits.limits()
    seen = ", ".join(str(limit) for limit in found) or "no limits here"
    if short := [limit for limit in found if limit.free < NEEDED[limit.sysctl].free]:
        settings = " ".join(f"{limit.sysctl}={NEEDED[limit.sysctl].enough}" for limit in short)
        return Finding(
            "inotify", "warning", seen, f"sysctl {settings}; two nodes with all stacks would reach the limits of now"
        )
    return Finding("inotify", "ok", seen)


def _data() -> Path:
    """The folder in which the engine keeps images, containers and volumes, also those of the cluster's nodes."""
    try:
        found = engine.connect()
    except EngineError:  # told by _engine
        found = None
    said = Path(found.info().get("DockerRootDir", "")) if found else daemon.DATA
    return said if said.is_absolute() else daemon.DATA


def _existing(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next(f for f in (folder, *folder.parents) if f.exists())
