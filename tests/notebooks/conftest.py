from collections.abc import Iterator

import pytest

from kitlib.cluster import lifecycle
from kitlib.cluster.bound import Cluster
from kitlib.exercises import record

pytest.register_assert_rewrite("tests.notebooks.four_ways")  # no test module itself


@pytest.fixture(scope="session", autouse=True)
def _no_progress() -> Iterator[None]:
    """The tests' checks are no progress of a learner who works in this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "keep", lambda *_: None)
        yield


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The tests' cluster, up and ready."""
    return lifecycle.up()
