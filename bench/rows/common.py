"""What several groups need: the tools of the other side, with the engine and kubeconfig that the kit uses, and a clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kitlib import paths
from kitlib.cluster import bound as cluster
from kitlib.cluster.bound import Namespace
from kitlib.engine import client as engine
from kitlib.host import identity, proc, tools
from kitlib.kube import kustomize

PYTHON = sys.executable
KUBECTL = kustomize.KUBECTL
CTR = ("ctr", "--namespace=k8s.io", "images")


def seconds(work: Callable[..., Any], *args: Any) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work(*args)
    return time.perf_counter() - began


@contextmanager
def fresh_namespace(name: str) -> Iterator[Namespace]:
    """An empty namespace of the kit's own cluster, undone at the end, also of a trial that failed."""
    namespace = cluster.bind().namespace(f"bench-{name}", fresh=True)
    try:
        yield namespace
    finally:
        namespace.undo()


def forget_on_node(prefix: str) -> None:
    """Drop the names of images that begin so; layers that nothing else uses go with them."""
    live = cluster.bind()
    names = [name for name in live.on_node(*CTR, "ls", "-q").split() if name.startswith(prefix)]
    if names:
        live.on_node(*CTR, "rm", *names)


def environment() -> dict[str, str]:
    """For docker, kind and kubectl; without the user's own defaults for kubectl, which could change what it does."""
    return {**engine.current().environment(), "KUBECONFIG": str(identity.kubeconfig()), "KUBERC": "off"}


def run(*argv: str | Path, **more: str) -> str:
    """A command to its end, with docker on the path.  Raises CommandFailed."""
    return proc.run(argv, env={"PATH": tools.path(), **environment(), **more}, cwd=paths.ROOT)


def kubectl(*argv: str) -> str:
    return run(KUBECTL, *argv)


def docker(*argv: str | Path) -> str:
    return run(tools.docker(), *argv)


def kind(*argv: str | Path, **more: str) -> str:
    return run(tools.kind(), *argv, **more)
