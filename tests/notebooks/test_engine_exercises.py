import pytest

from kitlib.cluster import Cluster
from tests.notebooks import four_ways


@pytest.mark.parametrize("name", four_ways.ENGINE)
def test_an_exercise_four_ways(name: str, cluster: Cluster) -> None:
    """Not attempted, wrong in two ways, right, and reset."""
    four_ways.prove(name, cluster)
