"""Traefik's stack reaches beyond its namespace: what is another's is left alone, and what is the kit's goes."""

from collections.abc import Iterator

import pytest

from kitlib.cluster.bound import Cluster
from kitlib.errors import NotOurs
from kitlib.kube.client import Ref
from kitlib.stacks import ingress
from tests.cluster import settings

CLASS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "kit-nginx"},
    "spec": {"controller": "example.com/another"},
}
KINDS = ("Namespace", "IngressClass", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")


@pytest.fixture
def foreign(cluster: Cluster) -> Iterator[Ref]:
    """A class with a name that the kit needs, which the kit did not make."""
    if edge := ingress.find(cluster):
        edge.remove()
    (ref,) = cluster.kube.apply([CLASS])
    yield ref
    cluster.kube.delete(ref)


def _left(cluster: Cluster) -> list[Ref]:
    labels = f"app.kubernetes.io/instance={ingress.STACK.instance}"
    return [Ref.of(found) for kind in KINDS for found in cluster.kube.list(kind, labels=labels)]


def test_what_is_anothers_is_left_alone(cluster: Cluster, foreign: Ref) -> None:
    """`install` refuses before it has made anything, and the other's object stays as it is."""
    with pytest.raises(NotOurs, match="IngressClass/kit-nginx"):
        ingress.install(cluster)
    found = cluster.kube.get(foreign.kind, foreign.name)

    assert found
    assert found["metadata"]["uid"] == foreign.uid
    assert found["spec"] == CLASS["spec"]
    assert _left(cluster) == []


def test_removed_without_a_trace(cluster: Cluster) -> None:
    """Installed twice, Traefik answers, with every option of its manifest; removed, nothing of it is left in or outside of namespaces."""
    ingress.install(cluster)
    edge = ingress.install(cluster)
    answer = edge.ask("nowhere.example", "/")
    lost = settings.lost(cluster, settings.manifests(ingress.STACK))
    edge.remove()

    assert lost == {}
    assert (answer.status, answer.body) == (404, ingress.UNKNOWN)
    assert ingress.find(cluster) is None
    assert _left(cluster) == []
