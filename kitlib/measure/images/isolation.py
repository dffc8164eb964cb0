"""A container as the host's kernel has it: processes in namespaces of their own, under limits that are files of a cgroup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
FILES = {  # controller: the file of its limit in cgroup v1 and v2
    "cpu": ("cpu.cfs_quota_us", "cpu.max"),
    "memory": ("memory.limit_in_bytes", "memory.max"),
    "pids": ("pids.max", "pids.max"),
}


def hidden(container: Any) -> str:
    """Why this machine's /proc does not show a running container's first process; empty when it does."""
    process = _process(container)
    try:
        (process / "ns" / "pid").readlink()
        here = container.id in (process / "cgroup").read_text()
    except PermissionError:
        return "the kernel shows a container's processes to root only"
    except OSError:
        here = False
    return (
        ""
        if here
        else "the engine's containers run under another kernel, as Docker Desktop's do, in its virtual machine"
    )


def processes(container: Any) -> pd.DataFrame:
    """The container's first process: its PID on the host and in the container, its command, and its parent on the host."""
    return _seen(container, _processes)


def namespaces(container: Any) -> pd.DataFrame:
    """One row per kind of namespace: its number for this notebook and for the container, and whether they are two."""
    return _seen(container, _namespaces)


def limits(container: Any) -> pd.DataFrame:
    """One row per controller: the file of the container's cgroup that has its limit, and what the kernel has in it."""
    return _seen(container, _limits)


def _seen(container: Any, look: Callable[[Path], list[dict[str, Any]]]) -> pd.DataFrame:
    reason = hidden(container)
    return pd.DataFrame([{"not measurable here": reason}] if reason else look(_process(container)))


def _process(container: Any) -> Path:
    return PROC / str(container.attrs["State"]["Pid"])


def _processes(process: Path) -> list[dict[str, Any]]:
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    outside, *_, inside = status["NSpid"].split()
    command = (process / "cmdline").read_text().replace("\0", " ").strip()
    parent = (PROC / status["PPid"].strip() / "comm").read_text().strip()
    return [{"on the host": outside, "in the container": inside, "command": command, "parent on the host": parent}]


def _namespaces(process: Path) -> list[dict[str, Any]]:
    kinds = sorted(link.name for link in (PROC / "self" / "ns").iterdir() if "_for_" not in link.name)
    return [_namespace(kind, process) for kind in kinds]


def _namespace(kind: str, process: Path) -> dict[str, Any]:
    mine, its = ((where / "ns" / kind).readlink().name for where in (PROC / "self", process))
    return {"namespace": kind, "this notebook": mine, "the container": its, "its own": mine != its}


def _limits(process: Path) -> list[dict[str, Any]]:
    """A line of /proc/PID/cgroup is number:controllers:path; in v2 there is one, without controllers (cgroups(7))."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    groups: dict[str, str] = {}
    for line in (process / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    files = {
        name: CGROUPS / groups[""] / v2 if unified else CGROUPS / name / groups[name] / v1
        for name, (v1, v2) in FILES.items()
        if unified or name in groups
    }
    return [
        {"controller": name, "file": file.name, "the kernel has": file.read_text().strip()}
        for name, file in files.items()
        if file.exists()
    ]
