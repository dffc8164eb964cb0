"""What `down` and `up` leave alone, on the real engine: clusters of other engines, foreign names, images and caches of others."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kitlib import paths
from kitlib.cluster import bound as clusters
from kitlib.cluster import lifecycle
from kitlib.cluster.bound import Cluster
from kitlib.engine.client import Engine
from kitlib.errors import ClusterError, NotOurs, UsageError
from kitlib.host import identity
from kitlib.host.identity import Identity
from kitlib.supply import builder, image_users, images

KIT = [sys.executable, "-m", "kitlib"]
DEAD = "tcp://127.0.0.1:1"
HERE = "unix:///run/docker.sock"  # the kit's default address by another path


@pytest.fixture
def engine(cluster: Cluster) -> Engine:
    return cluster.engine


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The name of a cluster that is not there, with a state folder of its own."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_CLUSTER", name := f"kit-test-{secrets.token_hex(3)}")
    return name


@pytest.fixture
def base(engine: Engine) -> str:
    return builder.ensure(engine, ["debian"])["debian"]


@pytest.fixture
def record(engine: Engine, name: str) -> Identity:
    """The record of a cluster of another engine, which answers nowhere."""
    assert name
    return identity.create(engine=f"not-{engine.id}", host="tcp://192.0.2.1:2375").noted(kube_system="uid")


@pytest.mark.parametrize("words", [["down"], ["down", "--images"], ["up"]], ids=" ".join)
def test_a_dead_engine_costs_nothing(words: list[str], cluster: Cluster) -> None:
    """With DOCKER_HOST on an engine that does not answer, the command fails with a next step, and the cluster is still the kit's."""
    said = subprocess.run(
        [*KIT, *words], env={**os.environ, "DOCKER_HOST": DEAD}, capture_output=True, text=True, cwd=paths.ROOT
    )

    assert said.returncode == 1
    assert DEAD in said.stderr
    assert f"next: DOCKER_HOST={cluster.identity.host} ./kit {words[0]}" in said.stderr
    assert clusters.bind().identity == cluster.identity


@pytest.mark.parametrize("command", [lifecycle.down, lifecycle.up], ids=["down", "up"])
def test_a_cluster_of_another_engine(command: Any, record: Identity) -> None:
    """An engine without the cluster is distinguished from the one that has it: the error names that one, and nothing is forgotten."""
    with pytest.raises(ClusterError, match=r"tcp://192\.0\.2\.1:2375") as caught:
        command()

    assert "./kit down --forget" in caught.value.hint
    assert identity.load() == record


def test_a_chapter_says_which_engine_has_the_cluster(record: Identity) -> None:
    """Binding a cluster that another engine has names that engine, and not a node that is gone."""
    with pytest.raises(ClusterError, match=record.host):
        clusters.bind()


def test_a_lost_cluster_is_forgotten_when_asked(record: Identity) -> None:
    """The way out that the error names works, and leaves a state folder in which a new cluster can be made."""
    lifecycle.forget()

    assert identity.load() is None
    assert record.engine


def test_a_cluster_that_is_there_is_not_forgotten(cluster: Cluster) -> None:
    """--forget is refused where the engine has the cluster: then `down` removes it."""
    with pytest.raises(UsageError) as caught:
        lifecycle.forget()

    assert "./kit down" in caught.value.hint
    assert clusters.bind().identity == cluster.identity


def test_one_engine_by_two_addresses(engine: Engine, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same engine by another address is the same engine, also for a record that did not know it."""
    assert name
    monkeypatch.setenv("DOCKER_HOST", HERE)
    identity.create(engine=engine.id, host="tcp://192.0.2.1:2375")
    lifecycle.down()

    assert identity.load() is None


def test_an_engine_with_another_id_that_has_the_cluster(engine: Engine, name: str) -> None:
    """What carries the mark proves the engine: its network is found and removed although the engine's ID has changed."""
    made = identity.create(engine="00000000-before", host="tcp://192.0.2.1:2375").noted(kube_system="uid")
    network = engine.client.networks.create(name, labels=made.labels)
    lifecycle.down()

    assert identity.load() is None
    assert network.id not in [n.id for n in engine.client.networks.list()]


def test_an_older_record_that_made_nothing(name: str) -> None:
    """A record of an older version, which names no engine and made nothing, goes as it always did."""
    identity.create()
    lifecycle.down()

    assert name
    assert identity.load() is None


def test_a_foreign_network_is_refused(engine: Engine, name: str) -> None:
    """A network with the cluster's name and without its mark stops `down`, with a record of a cluster or without, and survives."""
    network = engine.client.networks.create(name)
    try:
        with pytest.raises(NotOurs, match="left alone"):
            lifecycle.down()
        identity.create(engine=engine.id, host=engine.host)
        with pytest.raises(NotOurs, match="left alone"):
            lifecycle.down()
        network.reload()

        assert network.name == name
    finally:
        network.remove()


def test_a_foreign_node_of_any_name_is_refused(engine: Engine, name: str, base: str) -> None:
    """A node of a kind cluster of this name, which was renamed, is also refused: kind goes by its label."""
    labels = {"io.x-k8s.kind.cluster": name}
    foreign = engine.client.containers.create(base, ["sleep", "60"], name=f"old-{name}", labels=labels)
    try:
        with pytest.raises(NotOurs, match=f"old-{name}"):
            lifecycle.down()
        foreign.reload()
    finally:
        foreign.remove()


@pytest.fixture
def made(engine: Engine, name: str, base: str) -> Iterator[Any]:
    """Makes an image with labels under a name; all of them are removed afterwards."""
    found: list[str] = []

    def make(reference: str, **labels: str) -> str:
        repository, _, tag = reference.rpartition(":")
        found.append(reference)
        said = [f"LABEL {key}={value}" for key, value in labels.items()]
        container = engine.client.containers.create(base, ["true"])
        try:
            return str(container.commit(repository=repository, tag=tag, changes=[*said, f"ENV made={reference}"]).id)
        finally:
            container.remove()

    assert name
    yield make
    for reference in found:
        if engine.inspect(reference):
            engine.remove(reference)


def _used_by_another_checkout(reference: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a checkout that has a cluster and uses this image."""
    home = folder / "another"
    with monkeypatch.context() as there:
        there.setenv("KIT_HOME", str(home))
        there.setenv("KIT_CLUSTER", "another")
        identity.create(engine="an-id", host="unix:///nowhere")
        image_users.note([reference])
    return home


def test_images_of_others_stay(
    engine: Engine,
    name: str,
    made: Any,
    base: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`down --images` removes what this checkout made: not what another one made, nor what was only made from it, nor what is used."""
    mine = {images.CHECKOUT: identity.checkout(), images.LABEL: "x"}
    references = {part: f"kit.local/{part}-{name}:1" for part in ("mine", "theirs", "used", "named", "shared")}
    made(references["mine"], **mine)
    made(references["theirs"], **{**mine, images.CHECKOUT: "another"})
    made(references["used"], **mine)
    made(references["named"], **mine)
    made(references["shared"], **mine)
    other = _used_by_another_checkout(references["shared"], tmp_path, monkeypatch)
    made(f"app-{name}:1", **mine)  # made from one of the kit's images, whose labels it has inherited
    engine.client.images.get(references["named"]).tag(f"copy-{name}", "1")
    user = engine.client.containers.create(references["used"], ["true"], name=f"user-{name}")
    try:
        lifecycle.down(with_images=True)
    finally:
        user.remove()
        copy = engine.inspect(f"copy-{name}:1")
        engine.remove(f"copy-{name}:1")
    said = capsys.readouterr().err

    gone = [references["mine"], references["named"]]
    stays = [references["theirs"], references["used"], references["shared"], f"app-{name}:1", base]
    assert [engine.inspect(reference) for reference in gone] == [None, None]
    assert copy
    assert all(engine.inspect(reference) for reference in stays)
    assert f"left: {references['used']}, which the container user-{name} uses" in said
    assert f"left: {references['shared']}, which the checkout with the state folder {other} uses" in said
    assert "and the build cache" in said


def test_the_build_cache_of_others_stays(engine: Engine, name: str, tmp_path: Path) -> None:
    """`down --images` on an engine with images of others leaves the records of a build of theirs.

    Only those are compared: other tests build at the same time, and the engine drops their records as it likes.
    """

    def records() -> set[str]:
        return {entry["ID"] for entry in engine.client.df()["BuildCache"] if f"/{name}" in entry["Description"]}

    (tmp_path / "Dockerfile").write_text(f"FROM scratch\nCOPY Dockerfile /{name}\n")
    engine.build(tmp_path, f"cache-{name}:1")
    try:
        before = records()
        lifecycle.down(with_images=True)
        after = records()
    finally:
        engine.remove(f"cache-{name}:1")

    assert before
    assert before == after


def test_a_recipes_image_says_which_checkout_made_it(name: str) -> None:
    """What is built from a recipe carries the checkout's name; the hash of its inputs does not depend on it."""
    assert name
    assert images.labels(images.image("registry"))[images.CHECKOUT] == identity.checkout()
