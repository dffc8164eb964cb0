"""The targets of a game day: chains of goapp, each in a namespace of its own, with all three signals and load from outside."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from kitlib.cluster import reach
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import WaitTimeout
from kitlib.kube.client import Object
from kitlib.telemetry import polling
from kitlib.workloads import app, traffic
from kitlib.workloads.traffic import Load

IMAGE = "goapp-distroless"
TREATMENTS = ("scraped", "faults", "traced", "small")
DEBUG = {"CATALOG_LOG_LEVEL": "DEBUG"}  # one log line per request
RATE = 5  # requests per second: there are many chains, and each request is three, with lines and spans
PREFIX = "game-"
SLOW = 0.5  # seconds: an answer that takes longer counts as failed, as in the rule HighLatency
ASKED = 10  # requests, for a look
GOOD = "good"
DRAINED = 12  # seconds


def apply(cluster: Cluster, names: Iterable[str]) -> dict[str, Namespace]:
    """Create one chain per fault, in a fresh namespace kit-game-NAME; returns at once, while the pods still start."""
    chain = app.chain(cluster.image(IMAGE), treatments=TREATMENTS, env=DEBUG)

    def one(name: str) -> Namespace:
        namespace = cluster.namespace(namespace_name(name), fresh=True)
        namespace.apply(*chain)
        return namespace

    wanted = list(names)
    with ThreadPoolExecutor() as pool:
        return dict(zip(wanted, pool.map(one, wanted), strict=True))


def ready(namespaces: Iterable[Namespace]) -> None:
    """Wait until every instance of every chain can be reached by its Service from every node.  Raises WaitTimeout."""
    for namespace in namespaces:
        for name in app.CHAIN:
            app.roll_out(namespace, name)
        reach.services(namespace, app.CHAIN)


def load(namespace: Namespace, seconds: int) -> Load:
    """Load from outside: a fixed number of requests per second to the gateway, each on a connection of its own.

    A kept connection would still lead to a pod that its Service no longer selects.
    """
    url = f"http://gateway.{namespace.name}/items"
    return traffic.start(namespace, url, rate=RATE, seconds=seconds, keepalive=False, timeout=5, name="customers")


def unwell(namespace: Namespace) -> list[str]:
    """What is wrong with a chain as its users and Kubernetes see it now, one line per problem; [] when nothing is."""
    kube = namespace.cluster.kube
    found = [
        f"Deployment/{n} is not rolled out"
        for n in app.CHAIN
        if not app.rolled_out(kube.get("Deployment", n, namespace.name))
    ]
    found += [f"Service/{n} selects no pod" for n in app.CHAIN if not selected(namespace, n)]
    (entry, *_) = app.pods(namespace, next(iter(app.CHAIN)))
    answers = Counter(_asked(namespace, entry) for _ in range(ASKED))
    return found + [f"{count} of {ASKED} requests: {said}" for said, count in answers.items() if said != GOOD]


def settled(namespace: Namespace) -> list[str]:
    """`unwell`, once nothing is wrong or DRAINED seconds have passed: a pod that was replaced goes on answering for a while."""
    look = partial(unwell, namespace)
    with suppress(WaitTimeout):
        return polling.until(look, lambda wrong: not wrong, failure="; ".join, seconds=DRAINED)
    return look()


def _asked(namespace: Namespace, pod: Object) -> str:
    began = time.monotonic()
    status = app.ask(namespace, pod, "/items").status
    return f"HTTP {status}" if status != 200 else GOOD if time.monotonic() - began < SLOW else f"slower than {SLOW} s"


def selected(namespace: Namespace, name: str) -> list[Object]:
    """The pods that a Service of the chain leads to, ready or not."""
    service = namespace.cluster.kube.get("Service", name, namespace.name)
    labels = (service or {"spec": {}})["spec"].get("selector", {})
    return namespace.cluster.kube.list("Pod", namespace.name, labels=",".join(f"{k}={v}" for k, v in labels.items()))


def namespace_name(name: str) -> str:
    """Of the chain of a fault: 'game-wrong-address'."""
    return PREFIX + name.replace(" ", "-")
