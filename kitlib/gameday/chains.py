"""Where the game is played: chains of goapp, each in a namespace of its own, with all three signals and load from outside."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from kitlib import app, reach, traffic
from kitlib.cluster import Cluster, Space
from kitlib.errors import WaitTimeout
from kitlib.kube import Object
from kitlib.telemetry import again
from kitlib.traffic import Load

IMAGE = "goapp-distroless"
TREATMENTS = ("scraped", "faults", "traced", "small")
DEBUG = {"CATALOG_LOG_LEVEL": "DEBUG"}  # a line a request
RATE = 5  # requests a second: there are many chains, and each request is three, with lines and spans
PREFIX = "game-"
SLOW = 0.5  # seconds: an answer that takes longer is none that is good, as the rule HighLatency has it
ASKED = 10  # requests, for a look
GOOD = "good"
DRAINED = 12  # seconds


def apply(cluster: Cluster, names: Iterable[str]) -> dict[str, Space]:
    """A chain each, in a fresh namespace kit-game-NAME; returns at once, while the pods still start."""
    chain = app.chain(cluster.image(IMAGE), treatments=TREATMENTS, env=DEBUG)

    def one(name: str) -> Space:
        space = cluster.space(space_name(name), fresh=True)
        space.apply(*chain)
        return space

    wanted = list(names)
    with ThreadPoolExecutor() as pool:
        return dict(zip(wanted, pool.map(one, wanted), strict=True))


def ready(spaces: Iterable[Space]) -> None:
    """Wait until every instance of every chain can be reached by its Service from every node.  Raises WaitTimeout."""
    for space in spaces:
        for name in app.CHAIN:
            app.roll_out(space, name)
        reach.services(space, app.CHAIN)


def load(space: Space, seconds: int) -> Load:
    """Customers: a fixed number of requests a second to the gateway, each on a connection of its own.

    A connection that is kept would go on leading to a pod that its Service does not select any more.
    """
    url = f"http://gateway.{space.name}/items"
    return traffic.start(space, url, rate=RATE, seconds=seconds, keepalive=False, timeout=5, name="customers")


def unwell(space: Space) -> list[str]:
    """What is wrong with a chain as its users and Kubernetes see it now, a line each; [] when nothing is."""
    kube = space.cluster.kube
    found = [
        f"Deployment/{n} is not rolled out"
        for n in app.CHAIN
        if not app.rolled_out(kube.get("Deployment", n, space.name))
    ]
    found += [f"Service/{n} selects no pod" for n in app.CHAIN if not selected(space, n)]
    (entry, *_) = app.pods(space, next(iter(app.CHAIN)))
    answers = Counter(_asked(space, entry) for _ in range(ASKED))
    return found + [f"{count} of {ASKED} requests: {said}" for said, count in answers.items() if said != GOOD]


def settled(space: Space) -> list[str]:
    """`unwell`, once nothing is wrong or DRAINED seconds have passed: a pod that was replaced goes on answering for a while."""
    look = partial(unwell, space)
    with suppress(WaitTimeout):
        return again.until(look, lambda wrong: not wrong, failure="; ".join, seconds=DRAINED)
    return look()


def _asked(space: Space, pod: Object) -> str:
    began = time.monotonic()
    status = app.ask(space, pod, "/items").status
    return f"HTTP {status}" if status != 200 else GOOD if time.monotonic() - began < SLOW else f"slower than {SLOW} s"


def selected(space: Space, name: str) -> list[Object]:
    """The pods that a Service of the chain leads to, ready or not."""
    service = space.cluster.kube.get("Service", name, space.name)
    labels = (service or {"spec": {}})["spec"].get("selector", {})
    return space.cluster.kube.list("Pod", space.name, labels=",".join(f"{k}={v}" for k, v in labels.items()))


def space_name(name: str) -> str:
    """Of the chain of a fault: 'game-wrong-address'."""
    return PREFIX + name.replace(" ", "-")
