from collections.abc import Iterator

import pytest

from kitlib.cluster.bound import Cluster
from kitlib.exercises import start
from kitlib.kube import wait
from kitlib.kube.client import Ref
from kitlib.workloads import app
from tests.notebooks import four_ways


@pytest.mark.parametrize("name", four_ways.CLUSTER)
def test_an_exercise_four_ways(name: str, cluster: Cluster) -> None:
    """Not attempted, wrong in two or more ways, right, and reset."""
    four_ways.prove(name, cluster)


@pytest.fixture
def own_namespace(cluster: Cluster) -> Iterator[str]:
    """The namespace of 0-start/hello, as `kubectl create namespace` makes it, with something else of the learner in it."""
    start.Hello().reset()
    name = f"kit-{start.SPACE}"
    (ref,) = cluster.kube.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}])
    wait.until(cluster.kube, "ServiceAccount", "default", name, done=wait.exists, what="there")
    notes = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "hello-notes"}, "data": {"a": "b"}}
    cluster.kube.apply([notes], namespace=name)
    yield name
    cluster.kube.delete(ref)
    wait.until(cluster.kube, "Namespace", name, done=wait.gone, what="gone", seconds=120)


def test_a_namespace_of_kubectl_is_accepted(cluster: Cluster, own_namespace: str) -> None:
    """The answer in it counts; reset deletes the answer, and leaves the namespace and the rest."""
    exercise = start.Hello()
    manifests = app.manifests("hello", cluster.image("goapp-distroless"), replicas=start.WANTED)
    cluster.kube.apply(manifests, namespace=own_namespace)
    found = exercise.check()
    exercise.reset()

    assert found.state == "passed", found
    assert exercise.check().state == "not attempted"
    assert cluster.kube.list("Pod", own_namespace) == []
    assert cluster.kube.get("ConfigMap", "hello-notes", own_namespace)
    namespace = cluster.kube.get("Namespace", own_namespace)
    assert namespace and Ref.of(namespace).name == own_namespace
