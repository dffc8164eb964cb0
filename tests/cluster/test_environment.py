"""On the engine and the cluster: what the user's environment says changes neither images nor containers nor nodes."""

import io
import json
import os
import platform
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitlib.cluster.bound import Cluster
from kitlib.engine import endpoint
from kitlib.engine.client import Engine
from kitlib.host import proc
from kitlib.runner import workplace
from kitlib.supply import images

TAG = "kit.local/test-environment:1"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
THEIRS = {
    "BUILDX_BUILDER": "another",
    "BUILDX_CONFIG": "/nowhere",
    "BUILDKIT_HOST": "tcp://127.0.0.1:1",
    "DOCKER_BUILDKIT": "0",
    "OTEL_TRACES_EXPORTER": "console",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
}


@pytest.fixture
def built(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine with an image that was built under a user's settings and a umask of 077."""
    (tmp_path / "sub").mkdir()
    for name, value in {**THEIRS, "DOCKER_DEFAULT_PLATFORM": "linux/s390x"}.items():
        monkeypatch.setenv(name, value)
    before = os.umask(0o077)
    try:
        (tmp_path / "sub" / "text").write_text("text")
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY sub /sub/\n")
        cluster.engine.build(tmp_path, TAG)
    finally:
        os.umask(before)
    yield cluster.engine
    cluster.engine.remove(TAG)


def test_an_image_is_of_this_machine_with_plain_modes(built: Engine) -> None:
    """Its platform is the engine's and its files are for everyone to read, whatever the user's settings are."""
    image = built.inspect(TAG)
    container = built.client.containers.create(TAG, ["/none"])
    try:
        with tarfile.open(fileobj=io.BytesIO(b"".join(container.export()))) as archive:
            modes = {entry.name: entry.mode & 0o777 for entry in archive if entry.name.startswith("sub")}
    finally:
        container.remove()

    assert image and image["Architecture"] == MACHINES[platform.machine()]
    assert modes == {"sub": 0o755, "sub/text": 0o644}


def test_containers_get_no_proxies_of_the_users_configuration(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `proxies` in ~/.docker/config.json says would be in every container that the docker package makes."""
    (tmp_path / "config.json").write_text(json.dumps({"proxies": {"default": {"httpProxy": "http://mine.example"}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("KIT_USER_DOCKER_CONFIG", "")
    fresh = Engine(endpoint.Endpoint(cluster.engine.host))
    container = fresh.client.containers.create(images.image("registry").reference, ["/none"])
    try:
        env = container.attrs["Config"]["Env"] or []
    finally:
        container.remove()

    assert [entry for entry in env if "proxy" in entry.lower()] == []


def test_a_cells_kubectl_speaks_to_the_kits_cluster(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the environment of a kernel, whatever KUBECONFIG the user has exported."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    said = proc.run(
        ["sh", "-c", "kubectl get namespace kube-system -o jsonpath={.metadata.uid}"], env=workplace.whole()
    )

    assert said == cluster.identity.kube_system
