import pytest

from kitlib import lifecycle
from kitlib.cluster import Cluster


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The tests' cluster, up and ready."""
    return lifecycle.up()
