from pathlib import Path

import pytest

from kitlib.cluster.bound import Cluster
from kitlib.exercises.docker_concepts import MEMORY, PROCESSES, Limits
from kitlib.exercises.dockerfile import LICENCE, SECRET_ID, Secret
from kitlib.workloads import builds
from tests.notebooks import four_ways


@pytest.mark.parametrize("name", four_ways.ENGINE)
def test_an_exercise_four_ways(name: str, cluster: Cluster) -> None:
    """Not attempted, wrong in two or more ways, right, and reset."""
    four_ways.prove(name, cluster)


def test_an_image_of_another_tool_is_an_answer(cluster: Cluster, tmp_path: Path) -> None:
    """`docker build -t exercise-secret:answer` gives it neither the kit's prefix nor its labels, and reset removes it."""
    exercise, name = Secret(), f"{Secret.made}:answer"
    exercise.reset()
    (tmp_path / "licence").write_text(LICENCE)
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(
        "ARG ALPINE\nFROM ${ALPINE}\n"
        f"RUN --mount=type=secret,id={SECRET_ID} sha256sum < /run/secrets/{SECRET_ID} > /fingerprint\n"
        "COPY Dockerfile /Dockerfile\n"
    )
    base = {"ALPINE": builds.base(cluster.engine, "alpine")}
    cluster.engine.build(context, name, args=base, secrets={SECRET_ID: tmp_path / "licence"})
    found = exercise.check()
    exercise.reset()

    assert found.state == "passed", found
    assert cluster.engine.inspect(name) is None
    assert exercise.check().state == "not attempted"


def test_a_container_of_another_tool_is_an_answer(cluster: Cluster) -> None:
    """`docker run --name exercise-limits` gives it no label, and reset removes it."""
    exercise = Limits()
    exercise.reset()
    cluster.engine.client.containers.run(
        builds.base(cluster.engine, "alpine"),
        ["sleep", "3600"],
        name=Limits.made,
        detach=True,
        mem_limit=MEMORY,
        pids_limit=PROCESSES,
        read_only=True,
        tmpfs={"/run": ""},
    )
    found = exercise.check()
    exercise.reset()

    assert found.state == "passed", found
    assert exercise.check().state == "not attempted"
