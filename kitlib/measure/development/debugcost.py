"""What does a program's debugger cost its clients?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.debug import pod as pods
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.measure.development.debugging import FILE, LINE, PROGRAM
from kitlib.workloads import app, traffic

RATE = 100  # requests/s: far below what the service can do, so that its latency is seen and not a queue
ITEM = "/items/2"
DLV = ["dlv", "exec", "--headless", f"--listen=127.0.0.1:{pods.PORT}", "--only-same-user=false", "--continue"]
UNDER_DELVE = [*DLV, "--accept-multiclient", PROGRAM]


@dataclass(frozen=True)
class Way:
    """How the program is built and run.  log: a logpoint is set at the line that every request passes."""

    image: str
    command: tuple[str, ...]
    log: bool = False


WAYS = {
    "optimised": Way("goapp-unstripped", (PROGRAM,)),
    "unoptimised": Way("goapp-debug", (PROGRAM,)),
    "under Delve": Way("goapp-debug", tuple(UNDER_DELVE)),
    "with a logpoint": Way("goapp-debug", tuple(UNDER_DELVE), log=True),
}


@dataclass(frozen=True)
class Service:
    """The program in all WAYS, one pod per way, in one namespace."""

    namespace: Namespace

    @takes({"p99": "ms", "failed": "%"}, way=WAYS)
    def latency(self, way: str, seconds: int) -> dict[str, float]:
        """Under RATE requests/s for `seconds`: median and 99th percentile of the latency (ms), and the share that failed (%)."""
        pod = self.namespace.cluster.kube.get("Pod", _name(way), self.namespace.name) or {}
        url = f"http://{pod['status']['podIP']}:{app.PORT}{ITEM}"
        with self._logpoint(way), traffic.open_loop(self.namespace, url, rate=RATE, seconds=seconds) as load:
            load.wait()
        hits = load.results()
        p50, p99 = hits["latency"].quantile([0.5, 0.99]) * 1000
        return {"latency": p50, "p99": p99, "failed": 100 * float((~hits["ok"]).mean())}

    @contextmanager
    def _logpoint(self, way: str) -> Iterator[None]:
        if not WAYS[way].log:
            yield
            return
        with pods.connected(self.namespace, _name(way)) as session:
            session.breakpoint(FILE, LINE, log="item {id}")
            yield


@contextmanager
def service(namespace: Namespace) -> Iterator[Service]:
    """All pods, ready, while the block runs."""
    namespace.apply(*(_pod(namespace, name) for name in WAYS))
    for name in WAYS:
        wait.until(
            namespace.cluster.kube, "Pod", _name(name), namespace.name, done=wait.condition("Ready"), what="ready"
        )
    yield Service(namespace)


def _name(way: str) -> str:
    return "cost-" + way.lower().replace(" ", "-")


def _pod(namespace: Namespace, name: str) -> Object:
    way = WAYS[name]
    made = app.pod(_name(name), namespace.cluster.image(way.image), treatments=["no-liveness"])
    (container,) = made["spec"]["containers"]
    container["command"] = list(way.command)
    return made
