"""A component's own pages in the notebook: its port, forwarded to 127.0.0.1 by kubectl for as long as the kernel lives.

A page is shown where somebody can look at it; a headless run, and a report, have the command that opens it instead.
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

from IPython.display import IFrame, Markdown

from kitlib import images, kustomize, owner, proc, widgets
from kitlib.cluster import Cluster, Space
from kitlib.errors import ClusterError
from kitlib.stacks import base

HEIGHT = 700  # pixels
SECONDS = 10


@dataclass(frozen=True)
class Site:
    """What a workload serves.  workload: like deployment/kibana, in the namespace.  path: with its query, from its / on."""

    space: Space
    workload: str
    port: int
    path: str = "/"

    @property
    def command(self) -> str:
        """What opens the port in a terminal, at the same number."""
        return f"kubectl -n {self.space.name} port-forward {self.workload} {self.port}"

    def open(self) -> str:
        """Its address from now on, as long as kernel and pod live; whoever is on this machine can reach it.

        Raises ClusterError in kubectl's words when the port cannot be forwarded.
        """
        return f"http://127.0.0.1:{_forwarded(self)}{self.path}"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        if widgets.headless():
            return {"text/plain": f"{self.command}, then http://localhost:{self.port}{self.path}"}
        address = self.open()
        return {"text/plain": address, "text/html": IFrame(address, "100%", HEIGHT)._repr_html_()}


def of(cluster: Cluster, stack: base.Stack, workload: str, port: int, path: str = "/") -> Site | Markdown:
    """The page of a stack that was installed, else what keeps it from being there and what to do."""
    if space := base.find(cluster, stack):
        return Site(space, workload, port, path)
    if missing := [name for name in stack.images if not images.image(name).available]:
        why = f"{', '.join(missing)} can only be pulled, and this supply is `packages`; the other is `KIT_SUPPLY=upstream`"
    else:
        why = f"`./kit stacks install {stack.name}`, then run this cell again"
    return Markdown(f"The stack {stack.name} is not here: {why}.")


@dataclass(frozen=True)
class _Forward:
    process: subprocess.Popen[str]
    port: int


_forwards: dict[tuple[str, str, str, int], _Forward] = {}
_all = ExitStack()
atexit.register(_all.close)


def _forwarded(site: Site) -> int:
    """The local port; a forward whose pod is gone is made again: kubectl itself notices that only when it is asked."""
    key = (owner.cluster_name(), site.space.name, site.workload, site.port)
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
    words = ["--namespace", site.space.name, "port-forward", "--address=127.0.0.1", site.workload, f":{site.port}"]
    process = _all.enter_context(proc.beside([kustomize.KUBECTL, f"--kubeconfig={owner.kubeconfig()}", *words]))
    output = process.stdout or iter(())
    first = next(iter(output), "")
    found = re.search(r"127\.0\.0\.1:(\d+)", first)
    if not found:
        raise ClusterError(
            f"port {site.port} of {site.workload} cannot be reached", observed=[first.strip()], hint="./kit stacks list"
        )
    # It goes on saying every connection, and would stop at a pipe that is full.
    threading.Thread(target=deque, args=(output, 0), daemon=True).start()
    return _Forward(process, int(found[1]))
