import pytest

from kitlib import cluster as clusters


@pytest.fixture(scope="session")
def cluster() -> clusters.Cluster:
    """The tests' cluster, up and ready."""
    return clusters.up()
