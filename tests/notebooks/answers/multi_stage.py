"""Wrong answers to the exercises of 2.3-multi-stage."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster
from kitlib.exercises import multi_stage
from kitlib.measure.images import needs
from kitlib.workloads import app

TWO_STAGES = "ARG GOLANG\nARG ALPINE\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
CGO = "RUN go build -o /catalog ./cmd/catalog\n"
STATIC = "RUN CGO_ENABLED=0 go build -o /catalog ./cmd/catalog\n"
RUN = 'ENTRYPOINT ["/catalog"]\n'


def _still_dynamic(cluster: Cluster) -> None:
    app.build(
        cluster.engine,
        f"{TWO_STAGES}{CGO}FROM ${{ALPINE}}\nCOPY --from=build /catalog /catalog\n{RUN}",
        f"{multi_stage.Loader.made}:answer",
    )


def _with_toolchain(cluster: Cluster) -> None:
    app.build(
        cluster.engine,
        f"{TWO_STAGES}{CGO}FROM ${{GOLANG}}\nCOPY --from=build /catalog /catalog\n{RUN}",
        f"{multi_stage.Loader.made}:answer",
    )


def _as_root(cluster: Cluster) -> None:
    app.build(
        cluster.engine,
        f"{TWO_STAGES}{STATIC}FROM scratch\nCOPY --from=build /catalog /catalog\n{RUN}",
        f"{multi_stage.Smallest.made}:answer",
    )


def _not_stripped(cluster: Cluster) -> None:
    final = f"FROM ${{ALPINE}}\nCOPY --from=build /catalog /catalog\nUSER 65532\n{RUN}"
    app.build(cluster.engine, f"{TWO_STAGES}{STATIC}{final}", f"{multi_stage.Smallest.made}:answer")


SPEAKER = 'ARG ALPINE\nFROM ${ALPINE}\nUSER 65532\nENTRYPOINT ["echo", "catalog 1.0"]\n'


def _only_a_version(made: str) -> Callable[[Cluster], object]:
    """A small image whose program says a version, and is not goapp."""
    return lambda cluster: app.build(cluster.engine, SPEAKER, f"{made}:answer")


BUILD = "RUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -tags timetzdata -o /needs ./needs"
NEEDS = f"ARG GOLANG\nFROM ${{GOLANG}} AS build\nWORKDIR /src\nCOPY . .\n{BUILD}\n"


def _bare(cluster: Cluster) -> None:
    final = 'FROM scratch\nCOPY --from=build /needs /needs\nENTRYPOINT ["/needs"]\n'
    needs.build(cluster.engine, NEEDS + final, f"{multi_stage.Complete.made}:answer")


def _on_toolchain(cluster: Cluster) -> None:
    final = 'FROM ${GOLANG}\nCOPY --from=build /needs /needs\nENTRYPOINT ["/needs"]\n'
    needs.build(cluster.engine, NEEDS + final, f"{multi_stage.Complete.made}:answer")


WRONG = {
    "2.3-multi-stage/loader": (_still_dynamic, _with_toolchain, _only_a_version(multi_stage.Loader.made)),
    "2.3-multi-stage/smallest": (_as_root, _not_stripped, _only_a_version(multi_stage.Smallest.made)),
    "2.3-multi-stage/complete": (_bare, _on_toolchain),
}
