"""The stamp: in what environment a measurement was made, and an id that is the same when the environment is the same.

A figure means nothing without its stamp: the same image starts faster on another disk, and a size measured on a
stand-in base is not the size on the base the guide names.  Parts that cannot be found out are absent, never guessed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from kitlib.errors import KitError
from kitlib.host.proc import run
from kitlib.paths import ROOT

Environment = dict[str, Any]


def environment(extra: Mapping[str, Any] | None = None) -> Environment:
    """Everything that may explain a difference between two measurements; JSON-able.

    Keys: os, kernel, arch, cpu, cores, memory_gib, python, kit_version, kit_commit, engine {version, storage_driver,
    cgroup}, kubernetes {version, node_image}, supply, and those of `extra`: bases {name: {reference, stands_for}}.
    It holds nothing that changes while the machine stays as it is: no load, no clock, no host name.
    """
    return {**_machine(), **_kit(), **_platform(), **(extra or {})}


def stamp_id(env: Mapping[str, Any]) -> str:
    """Twelve hex digits of the environment's canonical JSON."""
    canonical = json.dumps(env, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def run_id() -> str:
    """The id of this execution: KIT_RUN, which `kit run` sets for its kernels, or one id a process."""
    return os.environ.get("KIT_RUN") or _process_run()


def stand_ins(env: Mapping[str, Any]) -> list[str]:
    """The bases that are not what the guide names, as 'kit.local/x stands for y'."""
    bases: Mapping[str, Mapping[str, Any]] = env.get("bases") or {}
    return [f"{b['reference']} stands for {b['stands_for']}" for b in bases.values() if b.get("stands_for")]


@lru_cache(maxsize=1)
def _process_run() -> str:
    return uuid.uuid4().hex[:12]


@lru_cache(maxsize=1)
def _machine() -> Environment:
    found = {
        "os": _os_name(),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
    }
    return {key: value for key, value in found.items() if value}


@lru_cache(maxsize=1)
def _kit() -> Environment:
    found: Environment = {}
    with suppress(importlib.metadata.PackageNotFoundError):  # a checkout that was never installed
        found["kit_version"] = importlib.metadata.version("cloudnative-go-kit")
    if commit := _commit():
        found["kit_commit"] = commit
    return found


def _platform() -> Environment:
    """The descriptions of engine, cluster and supply; read each time, because they can start and stop."""
    from kitlib.cluster.bound import describe as cluster
    from kitlib.engine.client import describe as engine
    from kitlib.supply.choice import describe as supply

    found = {"engine": _said(engine), "kubernetes": _said(cluster), **_said(supply)}
    return {key: value for key, value in found.items() if value}


def _said(describe: Callable[[], Environment]) -> Environment:
    try:
        return describe()
    except KitError:
        return {}  # not there, or not answering: the part is absent


def _commit() -> str:
    """The checkout's commit, '+dirty' when tracked files differ; empty without a checkout or git."""
    if not (ROOT / ".git").exists():
        return ""
    try:
        head = run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"]).strip()
        changed = run(["git", "-C", ROOT, "--no-optional-locks", "status", "--porcelain", "-uno"]).strip()
    except KitError:
        return ""
    return f"{head}+dirty" if changed else head


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.mac_ver()[0]}".strip()


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
