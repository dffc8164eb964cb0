"""Which privileges does a container need, so that a debugger can stop the program in it?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Cluster
from kitlib.errors import DebugError, EngineError
from kitlib.measure.development.debugging import (
    APP,
    DELVE,
    LISTENS,
    PROGRAM,
    READY,
    SERVE,
    STEPS,
    loopback,
    session,
    under_delve,
)
from kitlib.workloads import builds, compose

ROOT = "0:0"

# Settings of a container, from the least to the most that it is allowed to do; seccomp is the engine's profile unless named.
NO_PTRACE = '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}]}'
PRIVILEGES: dict[str, dict[str, Any]] = {
    "without ptrace": {"user": ROOT, "security_opt": [f"seccomp={NO_PTRACE}"]},
    "least": {"user": "65532:65532", "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]},
    "default": {"user": ROOT},
    "SYS_PTRACE": {"user": ROOT, "cap_add": ["SYS_PTRACE"]},
    "unconfined": {"user": ROOT, "security_opt": ["seccomp=unconfined"]},
}
STARTS = ("exec", "attach")


@contextmanager
def target(cluster: Cluster, made: str, start: str, privilege: str) -> Iterator[tuple[int, int]]:
    """goapp under Delve, with a privilege of PRIVILEGES: ports of Delve and of goapp on 127.0.0.1.

    start: `exec`, Delve starts the program as its own child; `attach`, it comes later, in a container of its own that shares the
    first one's processes.  Raises EngineError with what Delve says when it may not.
    """
    settings, base = PRIVILEGES[privilege], builds.base(cluster.engine, "goapp-debug")
    run = partial(builds.start, cluster.engine, made, base)
    started = []
    try:
        if start == "exec":
            started.append(under_delve(cluster, made, **settings))
        else:
            started.append(run(entrypoint=[PROGRAM], ports=loopback(APP), **_plain(settings)))
        compose.said(started[0], READY)
        if start == "attach":
            argv, processes = ["dlv", "attach", "1", *SERVE], f"container:{started[0].id}"
            started.append(run(ports=loopback(DELVE), entrypoint=argv, pid_mode=processes, **settings))
            compose.said(started[1], LISTENS)
        yield compose.published(started[-1], DELVE), compose.published(started[0], APP)
    finally:
        for container in reversed(started):
            container.remove(force=True, v=True)


@takes(start=STARTS, privilege=PRIVILEGES)
def allowed(cluster: Cluster, made: str, start: str, privilege: str) -> float:
    """1 when a program that was started in this way is stopped, read, stepped and let go under this privilege, 0 when a step fails."""
    reached: list[str] = []
    with suppress(EngineError, DebugError), target(cluster, made, start, privilege) as (delve, app):
        session(delve, app, reached.append)
    return float(len(reached) == len(STEPS) - 1)


def least(runs: pd.DataFrame) -> pd.DataFrame:
    """The first of PRIVILEGES with which every run worked, one row per start; and what the kernel's Yama allows about attaching."""
    works = runs[runs["metric"] == "works"].groupby(["start", "privilege"])["value"].min()
    rows = [
        {"start": s, "the least that works": _first(p for p in PRIVILEGES if works.get((s, p)) == 1)} for s in STARTS
    ]
    return pd.DataFrame(rows).set_index("start")


def yama() -> str:
    """The engine's kernel may forbid attaching to what is no child: 0 it does not, 1 and more it does; `none` when it has no Yama.

    Read on this machine, whose kernel the engine's is, unless the engine runs in a virtual machine.
    """
    file = Path("/proc/sys/kernel/yama/ptrace_scope")
    return file.read_text().strip() if file.exists() else "none"


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """The program to attach to is an ordinary one: it has the debugger's user and limits, and nothing that was added for it."""
    return {key: value for key, value in settings.items() if key in ("user", "cap_drop")}


def _first(found: Iterator[str]) -> str:
    return next(found, "none of these")
