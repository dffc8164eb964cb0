"""Wrong answers to the exercises of 2.4-debugging."""

from kitlib import debug
from kitlib.cluster.bound import Cluster
from kitlib.debug import pod as pods
from kitlib.exercises.debugging import Image, Mute, Price
from kitlib.kube.client import Object
from kitlib.measure.development import debugging
from kitlib.workloads import app

BUILD = "ARG GOLANG\nARG DELVE\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
FINAL = "FROM ${DELVE}\nCOPY --from=build /catalog /usr/local/bin/catalog\n"


def _built(cluster: Cluster, flags: str) -> None:
    caches = "--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build"
    command = f"RUN {caches} CGO_ENABLED=0 go build {flags} -o /catalog ./cmd/catalog\n"
    app.build(cluster.engine, BUILD + command + FINAL, Image.tag)


def _optimised(cluster: Cluster) -> None:
    _built(cluster, "")


def _stripped(cluster: Cluster) -> None:
    _built(cluster, '-ldflags="-s -w" -gcflags="all=-N -l"')


def _first_item(_: Cluster) -> None:
    delve, goapp = Price().given()
    with debug.attach(delve) as session:
        session.breakpoint(debugging.FILE, debugging.LINE)
        with debug.ask(goapp, "/items/2"):
            session.wait()
            session.assign(session.evaluate("store.items[0]"), "PriceCents", "42")


def _left_standing(_: Cluster) -> None:
    """The debugger goes away with its connection, and the program stands at the breakpoint for good."""
    delve, goapp = Price().given()
    session = debug.attach(delve)
    session.breakpoint(debugging.FILE, debugging.LINE)
    with debug.ask(goapp, "/items/2"):
        session.wait()
        session.abandon()


def _add(cluster: Cluster, change: Object) -> None:
    Mute().reset()
    namespace = Mute().given()
    container = pods.container("own", namespace.cluster.image(pods.IMAGE), "goapp", 1) | change
    added = {"spec": {"ephemeralContainers": [container]}}
    cluster.kube.patch("Pod", Mute.pod, namespace.name, added, subresource="ephemeralcontainers")
    pods.begun(namespace, Mute.pod, "own")


def _without_target(cluster: Cluster) -> None:
    _add(cluster, {"targetContainerName": ""})


def _same_user_only(cluster: Cluster) -> None:
    _add(cluster, {"command": ["dlv", "attach", "1", "--headless", f"--listen=127.0.0.1:{pods.PORT}"]})


WRONG = {
    Image.name: (_optimised, _stripped),
    Price.name: (_first_item, _left_standing),
    Mute.name: (_without_target, _same_user_only),
}
