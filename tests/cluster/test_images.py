"""Images on the real engine: provenance, resumption, and BuildKit's cache mounts."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.cluster.bound import Cluster
from kitlib.supply import images
from kitlib.workloads import app

KIT = [sys.executable, "-m", "kitlib"]
BUILT = "goapp-scratch"
COUNTER = """\
ARG ALPINE
FROM ${ALPINE} AS count
ARG ROUND
RUN --mount=type=cache,target=/count,id=kit-test-count echo "${ROUND}x" | tail -c 2 >> /count/rounds && cp /count/rounds /rounds
FROM scratch
COPY --from=count /rounds /bin/sh /
"""


@pytest.mark.parametrize("name", [name for name in images.common() if not images.image(name).pulled])
def test_a_built_image_says_where_it_comes_from(cluster: Cluster, name: str) -> None:
    """Every image from a recipe carries its name, the hash of its inputs, and what it stands for; its own name is never upstream's."""
    image = images.image(name)
    found = cluster.engine.inspect(image.reference)
    assert found
    labels = found["Config"]["Labels"]

    assert name == labels[images.LABEL]
    assert images.inputs(name) == labels["local.kit.inputs"]
    assert image.upstream == labels["local.kit.stands-for"]
    assert all(tag.startswith("kit.local/") for tag in found["RepoTags"] if "127.0.0.1" not in tag)


@pytest.fixture
def edited(cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """A checkout with another goapp: its images belong to no other checkout."""
    root = tmp_path / "checkout"
    for part in ("kitlib", "cluster", "goapp"):
        shutil.copytree(paths.ROOT / part, root / part)
    edit = f'package version\n\nconst Edited = "{secrets.token_hex(8)}"\n'
    (root / "goapp" / "internal" / "version" / "edit.go").write_text(edit)
    yield root
    reference = _reference(root)
    if cluster.engine.inspect(reference):
        cluster.engine.remove(reference)


def _reference(root: Path) -> str:
    """What a checkout calls its image."""
    asked = f"from kitlib.supply import images; print(images.image({BUILT!r}).reference)"
    return subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, cwd=root
    ).stdout.strip()


def test_a_killed_build_is_resumed(cluster: Cluster, edited: Path) -> None:
    """SIGKILL during `images build`, then the same command again: the image is there."""
    argv, environment = [*KIT, "images", "build", BUILT], {**os.environ, "KIT_HOME": str(paths.state())}
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, cwd=edited, env=environment) as first:
        assert first.stderr
        for line in first.stderr:
            if line.startswith("building image"):
                first.send_signal(signal.SIGKILL)
                break
    subprocess.run(argv, check=True, capture_output=True, cwd=edited, env=environment)

    assert first.returncode == -signal.SIGKILL
    assert cluster.engine.inspect(_reference(edited))


def test_a_cache_mount_keeps_what_was_written(cluster: Cluster) -> None:
    """A file in a cache mount grows from build to build."""
    sizes = []
    for _ in range(2):
        never_built = COUNTER.replace("ARG ROUND", f"ARG ROUND={secrets.token_hex(4)}")
        app.build(cluster.engine, never_built, "test-count:1")
        sizes.append(cluster.engine.size("kit.local/test-count:1"))
        cluster.engine.remove("kit.local/test-count:1")

    assert sizes[1] == sizes[0] + 2
