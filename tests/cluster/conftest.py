import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from kitlib.cluster import lifecycle
from kitlib.cluster.bound import Cluster, Namespace


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The tests' cluster, up and ready."""
    return lifecycle.up()


@pytest.fixture(scope="session")
def undo_later(cluster: Cluster) -> Iterator[Callable[[Namespace], None]]:
    """Takes a namespace away while the next tests run: Kubernetes waits five seconds before it begins with one.

    What could not be taken away fails the last test.
    """
    assert cluster.identity
    begun: list[Future[None]] = []
    with ThreadPoolExecutor() as pool:
        yield lambda namespace: begun.append(pool.submit(namespace.undo))
    for undone in begun:
        undone.result()


@pytest.fixture
def namespace(cluster: Cluster, undo_later: Callable[[Namespace], None]) -> Iterator[Namespace]:
    """A fresh namespace."""
    made = cluster.namespace(f"test-{secrets.token_hex(3)}")
    yield made
    undo_later(made)
