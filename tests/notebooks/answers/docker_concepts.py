"""Wrong answers to the exercises of 2.1-docker-concepts."""

from kitlib.cluster.bound import Cluster
from kitlib.exercises.docker_concepts import BIG, MEMORY, PROCESSES, Deleted, Limits, Order
from kitlib.workloads import builds

FROM = "ARG ALPINE\nFROM ${ALPINE}\n"
MAKE = f"head -c {BIG} /dev/urandom > /big"
TOOL = f"RUN head -c {BIG} /dev/urandom > /tool\n"
PAGE = "COPY index.html /index.html\n"


def _hidden_only(cluster: Cluster) -> None:
    text = f"{FROM}RUN {MAKE}\nRUN sha256sum /big > /result\nRUN rm /big\n"
    builds.build(cluster.engine, text, f"{Deleted.made}:answer")


def _without_result(cluster: Cluster) -> None:
    builds.build(cluster.engine, f"{FROM}RUN {MAKE} && rm /big\n", f"{Deleted.made}:answer")


def _order(cluster: Cluster, dockerfile: str, pages: tuple[str, str]) -> None:
    for tag, page in zip(Order.tags, pages, strict=True):
        builds.build(cluster.engine, dockerfile, f"{Order.made}:{tag}", files={"index.html": page})


def _page_first(cluster: Cluster) -> None:
    _order(cluster, FROM + PAGE + TOOL, ("one", "two"))


def _same_page(cluster: Cluster) -> None:
    _order(cluster, FROM + TOOL + PAGE, ("one", "one"))


def _start(cluster: Cluster, **settings: object) -> None:
    Limits().reset()
    image = builds.base(cluster.engine, "alpine")
    builds.start(cluster.engine, Limits.made, image, ["sleep", "3600"], **settings)


def _unlimited(cluster: Cluster) -> None:
    _start(cluster, read_only=True, tmpfs={"/run": ""})


def _writable(cluster: Cluster) -> None:
    _start(cluster, mem_limit=MEMORY, pids_limit=PROCESSES)


WRONG = {
    Deleted.name: (_hidden_only, _without_result),
    Order.name: (_page_first, _same_page),
    Limits.name: (_unlimited, _writable),
}
