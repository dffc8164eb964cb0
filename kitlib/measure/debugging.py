"""What does a debugger need to stop goapp: of its image, of its container?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from kitlib import app, compose, console, debug, wait
from kitlib.cluster import Cluster, Space
from kitlib.engine import Engine
from kitlib.errors import CommandFailed, DebugError, EngineError
from kitlib.measure import builds

APP, DELVE = 8080, 40000
FILE, LINE = (
    "internal/catalog/items_get.go",
    "item, err := store.Get(id)",
)  # the line at which a request for one item is looked up
PROGRAM = "/usr/local/bin/catalog"
SERVE = ("--headless", f"--listen=:{DELVE}", "--api-version=2", "--accept-multiclient")
LISTENS = "API server listening"
READY = '"msg":"ready"'  # by `--continue` Delve itself is a first client: until the program runs, a second one would come between
ROOT = "0:0"

WITH_DELVE = """\
ARG DELVE
ARG IMAGE
FROM ${DELVE} AS delve
FROM ${IMAGE}
COPY --from=delve /usr/local/bin/dlv /usr/local/bin/dlv
"""
# What a learner can choose: the image of the service, from the guide's own to the one that is made for it.
IMAGES = {
    "guide": "goapp-guide-2.2",
    "guide, dlv added": "goapp-guide-2.2",
    "stripped, dlv added": "goapp-alpine",
    "debug target": "goapp-debug",
}
STEPS = ("starts", "stops", "steps", "reads", "serves")
ITEMS = ("Gopher, plush", "Whale, enamel pin", "Helm, brass")  # what a fresh goapp sells
NAME = f'"{ITEMS[1]}"'  # of item 2, as Delve writes it

# Settings of a container, from the least to the most that it is allowed to do; seccomp is the engine's profile unless it says else.
NO_PTRACE = '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}]}'
PRIVILEGES: dict[str, dict[str, Any]] = {
    "without ptrace": {"user": ROOT, "security_opt": [f"seccomp={NO_PTRACE}"]},
    "least": {"user": "65532:65532", "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]},
    "default": {"user": ROOT},
    "SYS_PTRACE": {"user": ROOT, "cap_add": ["SYS_PTRACE"]},
    "unconfined": {"user": ROOT, "security_opt": ["seccomp=unconfined"]},
}
STARTS = ("exec", "attach")


def image(engine: Engine, made: str, name: str) -> str:
    """The reference of one of IMAGES; Delve is added to those that say so."""
    reference = builds.base(engine, IMAGES[name])
    if "added" not in name:
        return reference
    args = {"DELVE": builds.base(engine, "delve"), "IMAGE": reference}
    with console.quiet():
        return builds.build(engine, WITH_DELVE, f"{made}:{name.partition(',')[0]}", args=args)


def whole(project: compose.Project) -> dict[str, float]:
    """Start a project's service `api` and debug it: 1 for each of STEPS that is reached, and `works` for all of them.

    It starts under Delve; stops at a line; steps to the next; what the line has found can be read; and let go, it serves.
    """
    reached: list[str] = []
    try:
        with suppress(CommandFailed, EngineError, DebugError):
            project.up()
            _debugged(project.container("api"), reached.append)
    finally:
        compose.remove(project.cluster, project.made, with_images=False)
    return {step: float(step in reached) for step in STEPS} | {"works": float(len(reached) == len(STEPS))}


def through(cluster: Cluster, made: str, reference: str) -> tuple[list[str], list[str]]:
    """The STEPS that an image reaches when its program is started under Delve, and why it reached no more."""
    reached: list[str] = []
    container = None
    try:
        container = under_delve(cluster, made, reference)
        _debugged(container, reached.append)
    except (EngineError, DebugError) as e:
        return reached, [e.message, *e.observed[-2:]]
    finally:
        if container:
            container.remove(force=True, v=True)
    return reached, []


def under_delve(cluster: Cluster, made: str, reference: str = "", **settings: Any) -> Any:
    """A container whose program Delve has started; ports of both are on 127.0.0.1.  reference: by default the debug target."""
    image = reference or builds.base(cluster.engine, "goapp-debug")
    argv = ["dlv", "exec", *SERVE, "--continue", PROGRAM]
    return builds.start(cluster.engine, made, image, ports=_ports(APP, DELVE), entrypoint=argv, **settings)


def restricted_pod(cluster: Cluster, name: str, pod: str) -> Space:
    """A fresh namespace that enforces Pod Security `restricted`, with a ready pod of goapp: its image has the program and nothing else.

    Nobody asks whether the program is alive: at a breakpoint it is not, and the kubelet would restart it.
    """
    space = cluster.space(name, fresh=True)
    enforce = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    cluster.kube.patch("Namespace", space.name, "", enforce)
    space.apply(app.pod(pod, cluster.image("goapp-unstripped"), treatments=["no-liveness"]))
    wait.until(cluster.kube, "Pod", pod, space.name, done=wait.condition("Ready"), what="ready")
    return space


def _debugged(container: Any, reached: Callable[[str], None]) -> None:
    """The STEPS, each said when it is reached."""
    compose.said(container, READY)
    reached("starts")
    _through(compose.published(container, DELVE), compose.published(container, APP), reached)


def _through(delve: int, app: int, reached: Callable[[str], None]) -> None:
    """Those of a session with a program that runs."""
    with debug.attach(delve) as session:
        session.breakpoint(FILE, LINE)
        with debug.ask(app, "/items/2") as asked:
            stopped = session.wait()
            reached("stops")
            if session.step().line == stopped.line + 1:
                reached("steps")
            with suppress(
                DebugError
            ):  # the compiler may have optimised it away; the program is none the worse for that
                if session.evaluate("item.Name").value == NAME:
                    reached("reads")
            session.detach()
            if asked.answer()[0] == 200:
                reached("serves")


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
            started.append(run(entrypoint=[PROGRAM], ports=_ports(APP), **_plain(settings)))
        compose.said(started[0], READY)
        if start == "attach":
            argv, processes = ["dlv", "attach", "1", *SERVE], f"container:{started[0].id}"
            started.append(run(ports=_ports(DELVE), entrypoint=argv, pid_mode=processes, **settings))
            compose.said(started[1], LISTENS)
        yield compose.published(started[-1], DELVE), compose.published(started[0], APP)
    finally:
        for container in reversed(started):
            container.remove(force=True, v=True)


def allowed(cluster: Cluster, made: str, start: str, privilege: str) -> float:
    """1 when a program that was started so is stopped, read, stepped and let go under this privilege, 0 when any of it fails."""
    reached: list[str] = []
    with suppress(EngineError, DebugError), target(cluster, made, start, privilege) as (delve, app):
        _through(delve, app, reached.append)
    return float(len(reached) == len(STEPS) - 1)


def least(runs: pd.DataFrame) -> pd.DataFrame:
    """The first of PRIVILEGES with which every run worked, one row a start; and what the kernel's Yama says of attaching."""
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


def _ports(*ports: int) -> dict[str, Any]:
    """Free ports of 127.0.0.1 alone: who reaches Delve's can run what they like."""
    return {f"{port}/tcp": ("127.0.0.1", None) for port in ports}


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """The program to attach to is an ordinary one: it has the debugger's user and limits, and nothing that was added for it."""
    return {key: value for key, value in settings.items() if key in ("user", "cap_drop")}


def _first(found: Iterator[str]) -> str:
    return next(found, "none of these")
