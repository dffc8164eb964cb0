"""The two releases under the names that files use: what is pushed, and what the nodes forget."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kitlib.cluster import local_registry
from kitlib.workloads import app


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """Digests by repository and tag; the releases are built and published as sha256:<version>."""
    known: dict[tuple[str, str], str] = {}

    def publish(_engine: object, _at: str, name: str, *, reference: str, tag: str) -> str:
        known[name, tag] = f"sha256:{tag}"
        return reference

    monkeypatch.setattr(local_registry, "publish", publish)
    monkeypatch.setattr(local_registry, "has", lambda _, name, tag: (name, tag) in known)
    monkeypatch.setattr(local_registry, "digest", lambda _, name, tag: known[name, tag])
    return known


@pytest.fixture
def cluster(registry: dict[tuple[str, str], str]) -> Any:
    """Keeps what is pushed, and the commands for its two nodes."""
    told: list[tuple[str, ...]] = []

    def push(local: str, to: str) -> None:
        name, _, tag = to.rpartition(":")
        registry[name.rpartition("/")[2], tag] = f"sha256:{local.rpartition(':')[2]}"

    engine = SimpleNamespace(inspect=lambda _: {}, push=push)
    return SimpleNamespace(
        engine=engine,
        registry="127.0.0.1:1",
        nodes=["a", "b"],
        told=told,
        on_node=lambda *argv, node, **_: told.append((*argv, node)),
    )


def test_both_releases_have_their_names(cluster: Any, registry: dict[tuple[str, str], str]) -> None:
    """The names are returned, each stands for its release, and a second call does nothing."""
    first = app.publish(cluster)
    found = dict(registry)
    cluster.engine.push = None

    assert first == app.publish(cluster) == ("kit.local/catalog:1.0", "kit.local/catalog:2.0")
    assert found == registry
    assert [found["catalog", tag].partition("-")[0] for tag in ("1.0", "2.0")] == ["sha256:1.0.0", "sha256:2.0.0"]
    assert cluster.told == []


def test_a_name_that_moves_is_forgotten_by_the_nodes(cluster: Any, registry: dict[tuple[str, str], str]) -> None:
    """After an edit of goapp, a node that has the old image under the name would start it again."""
    app.publish(cluster)
    registry["catalog", "1.0"] = "sha256:before"
    app.publish(cluster)

    assert registry["catalog", "1.0"].startswith("sha256:1.0.0")
    assert [(words[-2], words[-1]) for words in cluster.told] == [
        ("kit.local/catalog:1.0", "a"),
        ("kit.local/catalog:1.0", "b"),
    ]
