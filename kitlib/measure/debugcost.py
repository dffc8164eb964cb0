"""What does a program's debugger cost its clients?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kitlib import app, traffic, wait
from kitlib.cluster import Space
from kitlib.debug import pod as pods
from kitlib.kube import Object
from kitlib.measure.debugging import FILE, LINE, PROGRAM

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
    """The program in all WAYS, a pod each, in one namespace."""

    space: Space

    def latency(self, way: str, seconds: int) -> dict[str, float]:
        """Under RATE requests/s for so long: median and 99th percentile of the latency (ms), and the share that failed (%)."""
        pod = self.space.cluster.kube.get("Pod", _name(way), self.space.name) or {}
        url = f"http://{pod['status']['podIP']}:{app.PORT}{ITEM}"
        with self._logpoint(way), traffic.open_loop(self.space, url, rate=RATE, seconds=seconds) as load:
            load.wait()
        hits = load.results()
        p50, p99 = hits["latency"].quantile([0.5, 0.99]) * 1000
        return {"latency": p50, "p99": p99, "failed": 100 * float((~hits["ok"]).mean())}

    @contextmanager
    def _logpoint(self, way: str) -> Iterator[None]:
        if not WAYS[way].log:
            yield
            return
        with pods.connected(self.space, _name(way)) as session:
            session.breakpoint(FILE, LINE, log="item {id}")
            yield


@contextmanager
def service(space: Space) -> Iterator[Service]:
    """All pods, ready, while the block runs."""
    space.apply(*(_pod(space, name) for name in WAYS))
    for name in WAYS:
        wait.until(space.cluster.kube, "Pod", _name(name), space.name, done=wait.condition("Ready"), what="ready")
    yield Service(space)


def _name(way: str) -> str:
    return "cost-" + way.lower().replace(" ", "-")


def _pod(space: Space, name: str) -> Object:
    way = WAYS[name]
    made = app.pod(_name(name), space.cluster.image(way.image), treatments=["no-liveness"])
    (container,) = made["spec"]["containers"]
    container["command"] = list(way.command)
    return made
