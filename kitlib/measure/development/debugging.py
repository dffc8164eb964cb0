"""What does a debugger need of goapp's image and container to stop the program?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kitlib import debug
from kitlib.claims.levels import takes
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.engine.client import Engine
from kitlib.errors import CommandFailed, DebugError, EngineError
from kitlib.host import console
from kitlib.kube import wait
from kitlib.workloads import app, builds, compose

APP, DELVE = 8080, 40000
FILE, LINE = "internal/catalog/items_get.go", "item, err := store.Get(id)"  # where the item of a request is looked up
PROGRAM = "/usr/local/bin/catalog"
SERVE = ("--headless", f"--listen=:{DELVE}", "--api-version=2", "--accept-multiclient")
LISTENS = "API server listening"
READY = '"msg":"ready"'  # by `--continue` Delve itself is a first client: until the program runs, a second one would come between

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


@takes(name=IMAGES)
def image(engine: Engine, made: str, name: str) -> str:
    """The reference of one of IMAGES; Delve is added to those that say so."""
    reference = builds.base(engine, IMAGES[name])
    if "added" not in name:
        return reference
    args = {"DELVE": builds.base(engine, "delve"), "IMAGE": reference}
    with console.quiet():
        return builds.build(engine, WITH_DELVE, f"{made}:{name.partition(',')[0]}", args=args)


@takes(dict.fromkeys(STEPS, "0/1"))
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
        builds.remove(project.cluster.engine, project.made, with_images=False)
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
    return builds.start(cluster.engine, made, image, ports=loopback(APP, DELVE), entrypoint=argv, **settings)


def restricted_pod(cluster: Cluster, name: str, pod: str) -> Namespace:
    """A fresh namespace that enforces Pod Security `restricted`, with a ready pod of goapp: its image has the program and nothing else.

    There is no liveness probe: at a breakpoint it would fail, and the kubelet would restart the program.
    """
    namespace = cluster.namespace(name, fresh=True)
    enforce = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    cluster.kube.patch("Namespace", namespace.name, "", enforce)
    namespace.apply(app.pod(pod, cluster.image("goapp-unstripped"), treatments=["no-liveness"]))
    wait.until(cluster.kube, "Pod", pod, namespace.name, done=wait.condition("Ready"), what="ready")
    return namespace


def _debugged(container: Any, reached: Callable[[str], None]) -> None:
    """Do the STEPS, and report each one that is reached."""
    compose.said(container, READY)
    reached("starts")
    session(compose.published(container, DELVE), compose.published(container, APP), reached)


def session(delve: int, app: int, reached: Callable[[str], None]) -> None:
    """Do the STEPS but the first with a running program, from attaching to detaching, and report each one that is reached."""
    with debug.attach(delve) as dlv:
        dlv.breakpoint(FILE, LINE)
        with debug.ask(app, "/items/2") as asked:
            stopped = dlv.wait()
            reached("stops")
            if dlv.step().line == stopped.line + 1:
                reached("steps")
            with suppress(DebugError):  # the compiler may have optimised it away; the program is none the worse
                if dlv.evaluate("item.Name").value == NAME:
                    reached("reads")
            dlv.detach()
            if asked.answer()[0] == 200:
                reached("serves")


def loopback(*ports: int) -> dict[str, Any]:
    """Free ports of 127.0.0.1 alone: a client that reaches Delve can run any code."""
    return {f"{port}/tcp": ("127.0.0.1", None) for port in ports}
