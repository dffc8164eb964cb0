import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from kitlib import lifecycle
from kitlib.cluster import Cluster, Space


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The tests' cluster, up and ready."""
    return lifecycle.up()


@pytest.fixture(scope="session")
def undo_later(cluster: Cluster) -> Iterator[Callable[[Space], None]]:
    """Takes a namespace away while the next tests run: Kubernetes waits five seconds before it begins with one.

    What could not be taken away fails the last test.
    """
    assert cluster.owner
    begun: list[Future[None]] = []
    with ThreadPoolExecutor() as pool:
        yield lambda space: begun.append(pool.submit(space.undo))
    for undone in begun:
        undone.result()


@pytest.fixture
def space(cluster: Cluster, undo_later: Callable[[Space], None]) -> Iterator[Space]:
    """A fresh namespace."""
    made = cluster.space(f"test-{secrets.token_hex(3)}")
    yield made
    undo_later(made)
