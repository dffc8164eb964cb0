"""Wrong answers to the exercises of 3.1-architecture."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.kube import wait
from kitlib.workloads import app

Answer = Callable[[Cluster], object]
QUICK = ["no-startup", "quick-exit", "small"]


def _nobody_binds(cluster: Cluster) -> None:
    pod = app.pod("lonely", cluster.image("goapp-distroless"), treatments=QUICK)
    pod["spec"]["schedulerName"] = "nobody"
    cluster.namespace("bind").apply(pod)


def _the_default_scheduler(cluster: Cluster) -> None:
    namespace = cluster.namespace("bind", fresh=True)  # a pod's scheduler cannot be changed
    namespace.apply(app.pod("lonely", cluster.image("goapp-distroless"), treatments=QUICK))
    wait.until(cluster.kube, "Pod", "lonely", namespace.name, done=wait.condition("PodScheduled"), what="scheduled")


def _names_the_node(cluster: Cluster) -> None:
    """The kubelet runs such a pod, and no Binding is needed."""
    namespace = cluster.namespace("bind", fresh=True)
    pod = app.pod("lonely", cluster.image("goapp-distroless"), treatments=QUICK)
    pod["spec"] |= {"schedulerName": "nobody", "nodeName": cluster.node}
    namespace.apply(pod)


def _never_deleted(cluster: Cluster) -> None:
    _deployed(cluster, "adopt", "keeper")


def _orphans_only(cluster: Cluster) -> None:
    namespace = _deployed(cluster, "adopt", "keeper")
    path = f"/apis/apps/v1/namespaces/{namespace.name}/deployments/keeper"
    cluster.kube.connection.json("DELETE", path, body={"propagationPolicy": "Orphan"}, seconds=10)
    wait.until(cluster.kube, "Deployment", "keeper", namespace.name, done=wait.gone, what="gone")


def _untouched(cluster: Cluster) -> None:
    _deployed(cluster, "quarantine", "patient")


def _another_pod(cluster: Cluster) -> None:
    namespace = _deployed(cluster, "quarantine", "patient")
    namespace.apply(app.pod("examined", cluster.image("goapp-distroless"), treatments=QUICK))


def _deployed(cluster: Cluster, namespace: str, name: str) -> Namespace:
    found = cluster.namespace(namespace)
    found.apply(*app.manifests(name, cluster.image("goapp-distroless"), replicas=2, treatments=QUICK))
    app.roll_out(found, name)
    return found


WRONG: dict[str, tuple[Answer, ...]] = {
    "3.1-architecture/bind": (_nobody_binds, _the_default_scheduler, _names_the_node),
    "3.1-architecture/adopt": (_never_deleted, _orphans_only),
    "3.1-architecture/quarantine": (_untouched, _another_pod),
}
