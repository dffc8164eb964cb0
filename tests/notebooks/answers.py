"""Answers to the exercises: the reference solution, and two wrong ones each that leave the real system in a wrong state."""

from collections.abc import Callable

import kitlib
from kitlib import app, exercises
from kitlib.cluster import Cluster
from kitlib.exercises import multi_stage, start

Answer = Callable[[Cluster], object]

TWO_STAGES = "ARG GOLANG\nARG ALPINE\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
CGO = "RUN go build -o /catalog ./cmd/catalog\n"
STATIC = "RUN CGO_ENABLED=0 go build -o /catalog ./cmd/catalog\n"
RUN = 'ENTRYPOINT ["/catalog"]\n'


def solve(name: str, cluster: Cluster) -> None:
    """Run the solution as a learner would: its text, with the names that a chapter has."""
    exec(exercises.exercise(name).solution(), {"kit": kitlib, "cluster": cluster})  # noqa: S102


def _one_replica(cluster: Cluster) -> None:
    cluster.space(start.SPACE).apply(app.deployment("hello", cluster.image("goapp-distroless"), replicas=1))


def _no_such_image(cluster: Cluster) -> None:
    cluster.space(start.SPACE).apply(app.deployment("hello", "kit.local/no-such-image:1", start.WANTED))


def _still_dynamic(cluster: Cluster) -> None:
    app.build(
        cluster.engine,
        f"{TWO_STAGES}{CGO}FROM ${{ALPINE}}\nCOPY --from=build /catalog /catalog\n{RUN}",
        multi_stage.Loader.tag,
    )


def _with_toolchain(cluster: Cluster) -> None:
    app.build(
        cluster.engine,
        f"{TWO_STAGES}{CGO}FROM ${{GOLANG}}\nCOPY --from=build /catalog /catalog\n{RUN}",
        multi_stage.Loader.tag,
    )


def _as_root(cluster: Cluster) -> None:
    app.build(
        cluster.engine,
        f"{TWO_STAGES}{STATIC}FROM scratch\nCOPY --from=build /catalog /catalog\n{RUN}",
        multi_stage.Smallest.tag,
    )


def _not_stripped(cluster: Cluster) -> None:
    final = f"FROM ${{ALPINE}}\nCOPY --from=build /catalog /catalog\nUSER 65532\n{RUN}"
    app.build(cluster.engine, f"{TWO_STAGES}{STATIC}{final}", multi_stage.Smallest.tag)


WRONG: dict[str, tuple[Answer, ...]] = {
    "0-start/hello": (_one_replica, _no_such_image),
    "2.3-multi-stage/loader": (_still_dynamic, _with_toolchain),
    "2.3-multi-stage/smallest": (_as_root, _not_stripped),
}
