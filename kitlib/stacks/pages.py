"""A component's own pages in the notebook: its port, forwarded to 127.0.0.1 by kubectl for as long as the kernel lives.

A live notebook shows the page; a headless run, and a report, have the command that opens it instead.
"""

from __future__ import annotations

import atexit
import re
import subprocess
import threading
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from IPython.display import IFrame, Markdown

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError
from kitlib.host import identity, proc
from kitlib.host.frontend import headless
from kitlib.kube import kustomize
from kitlib.stacks import base
from kitlib.supply import images

HEIGHT = 700  # pixels
SECONDS = 10


@dataclass(frozen=True)
class Site:
    """A page of a workload.  workload: like deployment/kibana, in the namespace.  path: with its query, from its / on."""

    namespace: Namespace
    workload: str
    port: int
    path: str = "/"

    @property
    def command(self) -> str:
        """The command that opens the port in a terminal, at the same number."""
        return f"kubectl -n {self.namespace.name} port-forward {self.workload} {self.port}"

    def open(self) -> str:
        """Forward the port and return its address, valid while kernel and pod live; every user of this machine can reach it.

        Raises ClusterError with kubectl's message when the port cannot be forwarded.
        """
        return f"http://127.0.0.1:{_forwarded(self)}{self.path}"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        if headless():
            return {"text/plain": f"{self.command}, then http://localhost:{self.port}{self.path}"}
        address = self.open()
        return {"text/plain": address, "text/html": IFrame(address, "100%", HEIGHT)._repr_html_()}


def of(cluster: Cluster, stack: base.Stack, workload: str, port: int, path: str = "/") -> Site | Markdown:
    """The page of an installed stack; otherwise why there is none, and what to do."""
    if namespace := base.find(cluster, stack):
        return Site(namespace, workload, port, path)
    if missing := [name for name in stack.images if not images.image(name).available]:
        why = f"{', '.join(missing)} can only be pulled, and this supply is `packages`; the other is `KIT_SUPPLY=upstream`"
    else:
        why = f"`./kit stacks install {stack.name}`, then run this cell again"
    return Markdown(f"The stack {stack.name} is not installed: {why}.")


@dataclass(frozen=True)
class _Forward:
    process: subprocess.Popen[bytes]
    port: int


_forwards: dict[tuple[str, str, str, int], _Forward] = {}
_all = ExitStack()
atexit.register(_all.close)


def _forwarded(site: Site) -> int:
    """The local port; a forward whose pod is gone is restarted: kubectl itself notices that only at the next request."""
    key = (identity.cluster_name(), site.namespace.name, site.workload, site.port)
    known = _forwards.get(key)
    if known is None or known.process.poll() is not None or not _answers(known.port):
        _forwards[key] = known = _forward(site)
    return known.port


def _answers(port: int) -> bool:
    """Whether HTTP comes back, whatever it says."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("HEAD", "/")
        return bool(connection.getresponse().status)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _forward(site: Site) -> _Forward:
    words = ["--namespace", site.namespace.name, "port-forward", "--address=127.0.0.1", site.workload, f":{site.port}"]
    argv: list[str | Path] = [kustomize.KUBECTL, f"--kubeconfig={identity.kubeconfig()}", *words]
    running = _all.enter_context(proc.background(argv, env=kustomize.ENVIRONMENT))
    first = next(iter(running.stdout), "")
    found = re.search(r"127\.0\.0\.1:(\d+)", first)
    if not found:
        raise ClusterError(
            f"port {site.port} of {site.workload} cannot be reached",
            observed=running.errors()[-5:],
            hint="./kit stacks list",
        )
    # It prints every connection, and would block on a full pipe.
    threading.Thread(target=deque, args=(running.stdout, 0), daemon=True).start()
    return _Forward(running.process, int(found[1]))
