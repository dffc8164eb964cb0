"""Measurements on images and pods whose answer is known from elsewhere."""

import pytest

from kitlib.cluster.bound import Cluster
from kitlib.errors import BuildFailed, ClusterError, EngineError
from kitlib.measure.images import startup
from kitlib.measure.images.size import size
from kitlib.measure.images.starts import starts
from kitlib.measure.images.startup import cold_start
from kitlib.measure.images.surface import surface
from kitlib.supply import images
from kitlib.workloads import app

PLANTED = """\
ARG ALPINE
FROM ${ALPINE} AS tools
RUN mkdir /out && cp /bin/busybox /out/tool && chmod 4755 /out/tool && cp /bin/busybox /out/data && chmod 644 /out/data
FROM scratch
COPY --from=tools /out /
COPY --from=tools /bin/sh /bin/sh
"""


def test_surface_counts_what_was_planted(cluster: Cluster) -> None:
    """An image with one setuid program, the same bytes as data, and one shell has exactly that surface."""
    engine = cluster.engine
    app.build(engine, PLANTED, "test-planted:1")
    try:
        found = surface(engine, "kit.local/test-planted:1")
    finally:
        engine.remove("kit.local/test-planted:1")

    assert found["setuid"] == 1
    assert found["shells"] == 1
    assert found["packages"] == 0
    assert found["executables"] == 2  # the tool, and busybox under the name of sh


def test_packages_are_debians_own_count(cluster: Cluster) -> None:
    """The packages counted in a Debian image are those that its dpkg lists."""
    reference = images.image("debian").reference
    listed = cluster.engine.run(reference, ["dpkg-query", "-W", "-f", "x"])

    assert surface(cluster.engine, reference)["packages"] == listed.output.count("x")


def test_sizes_agree_with_the_engine_and_the_registry(cluster: Cluster) -> None:
    """An image is smaller compressed than on disk, and the smallest image is hardly more than its binary."""
    found = size(cluster, "goapp-scratch")
    layers = cluster.engine.history(images.image("goapp-scratch").reference)

    assert found["size"] == sum(layer["Size"] for layer in layers)
    assert 0 < found["compressed"] < found["size"]


def test_the_defect_is_the_loader(cluster: Cluster) -> None:
    """The guide's 2.3 image cannot be executed; the engine's words are kept.  Its 2.2 image starts."""
    broken, works = (starts(cluster.engine, f"goapp-guide-{section}") for section in ("2.3", "2.2"))

    assert broken.exit_code is None or broken.exit_code != 0
    assert "no such file or directory" in broken.said
    assert works.exit_code == 0


def test_a_cold_start_pulls(cluster: Cluster) -> None:
    """Each trial begins without the image on the node and ends with a ready pod."""
    namespace = cluster.namespace("measure", fresh=True)
    try:
        found = cold_start(namespace, "goapp-scratch")
        reference = cluster.image("goapp-scratch")
        events = [e["message"] for e in cluster.kube.list("Event", namespace.name) if e["reason"] == "Pulled"]
    finally:
        namespace.undo()

    assert found["ready_seconds"] > 0
    assert any(f'Successfully pulled image "{reference}"' in message for message in events), events


def test_a_warm_start_is_not_taken_for_a_cold_one(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the image is still on the node, the trial is an error and not a figure."""
    namespace = cluster.namespace("measure", fresh=True)
    try:
        cold_start(namespace, "goapp-scratch")
        monkeypatch.setattr(startup, "forget", lambda _namespace, _reference: None)

        with pytest.raises(ClusterError, match="no cold start"):
            cold_start(namespace, "goapp-scratch")
    finally:
        namespace.undo()


def test_a_build_that_fails_quotes_the_compiler(cluster: Cluster) -> None:
    """A Dockerfile that does not build is a BuildFailed with the tool's own words."""
    with pytest.raises(BuildFailed, match="no-such-command"):
        app.build(cluster.engine, "ARG ALPINE\nFROM ${ALPINE}\nRUN no-such-command\n", "test-fails:1")


def test_an_image_that_is_not_here_is_named(cluster: Cluster) -> None:
    """Asking for the size of an unknown image says which, and what to do."""
    with pytest.raises(EngineError, match="no-such") as caught:
        cluster.engine.size("kit.local/no-such:1")

    assert "images build" in caught.value.hint
