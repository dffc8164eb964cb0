import pytest

from kitlib import lifecycle
from kitlib.cluster import Cluster

pytest.register_assert_rewrite("tests.notebooks.four_ways")  # no test module itself


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The tests' cluster, up and ready."""
    return lifecycle.up()
