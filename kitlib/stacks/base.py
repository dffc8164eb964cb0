"""One way to install any stack, to wait until it is ready, and to remove it without a trace.

A stack has a namespace; its cluster-wide objects (roles, classes, definitions) carry the kit's mark and the stack's
instance label, and `remove` deletes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pandas as pd

from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ApiError, NotOurs, SupplyError
from kitlib.host import waiting
from kitlib.host.identity import LABEL
from kitlib.host.stats import quantity
from kitlib.kube import kustomize, wait
from kitlib.kube.client import Object, Ref
from kitlib.kube.quantity import parse
from kitlib.supply import builder, images
from kitlib.workloads import app

SECONDS = 180
MIB = 1 << 20
# Kinds that a stack can have outside of its namespace, in the order of removal; definitions after the objects that they define.
AGGREGATED = ("APIService",)
WIDE = ("GatewayClass", "IngressClass", "ClusterRoleBinding", "ClusterRole")
DEFINITION = "CustomResourceDefinition"


@dataclass(frozen=True)
class Stack:
    """A folder of cluster/stacks.  Its namespace is kit-NAME, and so is the instance label of its objects.

    images: names in images.toml, by which the manifests call them.  components: kustomize components beside its kustomization.
    """

    name: str
    images: tuple[str, ...] = ()
    components: tuple[str, ...] = ()

    @property
    def instance(self) -> str:
        """The name kit-NAME, which is both the namespace and the instance label of the stack's objects."""
        return f"kit-{self.name}"


def install(
    cluster: Cluster, stack: Stack, *, definitions: Sequence[Object] = (), seconds: float = SECONDS
) -> Namespace:
    """Install a stack and wait until it is ready; existing parts are kept.  Prints what it takes before it starts anything.

    definitions: CustomResourceDefinitions to establish first.  Raises NotOurs, before anything is done, when a cluster-wide object
    that it needs exists and is not the kit's; SupplyError for an image that this supply does not have; WaitTimeout.
    """
    _require(stack)
    manifests = render(cluster, stack)
    _refuse_foreign(cluster, [*definitions, *(m for m in manifests if "namespace" not in m["metadata"])])
    print(f"{stack.name}: {_sum(_footprint(cluster, manifests))}")
    began = time.monotonic()
    with waiting.line(f"the stack {stack.name} is ready") as line:
        namespace = cluster.namespace(stack.name)
        for ref in namespace.apply(*definitions):
            wait.until(cluster.kube, ref.kind, ref.name, done=wait.condition("Established"), what="established")
        _start(namespace, manifests, seconds)
    if not line.shown:  # which says the same
        print(f"{stack.name}: ready after {time.monotonic() - began:.1f} s")
    return namespace


def _start(namespace: Namespace, manifests: Sequence[Object], seconds: float) -> None:
    """Apply a stack's own objects, and wait for those that become ready.  seconds: for each of them."""
    kube = namespace.cluster.kube
    for ref in namespace.apply(*manifests):
        if ref.kind in READY:
            wait.until(kube, ref.kind, ref.name, ref.namespace, done=READY[ref.kind], what="ready", seconds=seconds)


def find(cluster: Cluster, stack: Stack) -> Namespace | None:
    """The stack's namespace if it was installed.  Raises NotOurs when the kit did not make it."""
    return Namespace.find(cluster, stack.name)


def remove(cluster: Cluster, stack: Stack) -> None:
    """Remove everything that belongs to a stack; returns when it is gone.  A stack that is not installed is not an error."""
    unregister(cluster, stack)
    if namespace := find(cluster, stack):
        namespace.undo()
    _take(cluster, stack, WIDE)
    _take(cluster, stack, (DEFINITION,))


def remove_all(cluster: Cluster, stacks: Iterable[Stack], beside: Iterable[Namespace] = ()) -> None:
    """Remove stacks, and these namespaces, side by side: Kubernetes waits five seconds before it begins with one."""
    going = [*(partial(remove, cluster, stack) for stack in stacks), *(namespace.undo for namespace in beside)]
    with waiting.line("all of it is gone", SECONDS), ThreadPoolExecutor(len(going)) as pool:
        list(pool.map(lambda go: go(), going))


def unregister(cluster: Cluster, stack: Stack) -> None:
    """Remove its APIServices: while one exists without its server, no namespace of the cluster can be deleted."""
    _take(cluster, stack, AGGREGATED)


def _take(cluster: Cluster, stack: Stack, kinds: Iterable[str]) -> None:
    refs = [ref for ref in left(cluster, stack, kinds) if cluster.kube.delete(ref)]
    for ref in refs:
        wait.until(cluster.kube, ref.kind, ref.name, done=wait.gone, what="gone", seconds=SECONDS)


def left(cluster: Cluster, stack: Stack, kinds: Iterable[str] = (*AGGREGATED, *WIDE, DEFINITION)) -> list[Ref]:
    """The kit's objects of a stack that are in no namespace."""
    labels = f"{LABEL}={cluster.identity.mark},app.kubernetes.io/instance={stack.instance}"
    return [Ref.of(found) for kind in kinds for found in _listed(cluster, kind, labels)]


def render(cluster: Cluster, stack: Stack) -> list[Object]:
    """Its manifests, with images as the cluster's registry has them: a missing image is built and published."""
    for name in stack.images:
        cluster.image(name)
    return _rendered(stack)


def footprint(cluster: Cluster, stack: Stack) -> pd.DataFrame:
    """The resources of a stack, one row per container: component, image, image_mb, request_mib, limit_mib (memory, of all its replicas).

    Missing images are built; nothing reaches the cluster.
    """
    builder.ensure(cluster.engine, stack.images)
    return _footprint(cluster, _rendered(stack))


def _require(stack: Stack) -> None:
    if missing := [name for name in stack.images if not images.image(name).available]:
        raise SupplyError(
            f"the stack {stack.name} needs {', '.join(missing)}, which cannot be built from packages",
            hint="where images can be pulled: KIT_SUPPLY=upstream",
        )


def _rendered(stack: Stack) -> list[Object]:
    return kustomize.render(
        {
            "resources": [f"stacks/{stack.name}"],
            "components": [f"stacks/{stack.name}/{component}" for component in stack.components],
            "images": [_image(name) for name in stack.images],
        }
    )


def _image(name: str) -> Object:
    reference, _, tag = local_registry.published(name).rpartition(":")
    return {"name": name, "newName": reference, "newTag": tag}


def _footprint(cluster: Cluster, manifests: Sequence[Object]) -> pd.DataFrame:
    rows = [row for manifest in manifests for row in _rows(cluster, manifest)]
    return pd.DataFrame(rows, columns=["component", "image", "image_mb", "request_mib", "limit_mib"])


def _rows(cluster: Cluster, manifest: Object) -> Iterator[tuple[str, str, float, float, float]]:
    """A DaemonSet counts once per node."""
    if manifest["kind"] not in WORKLOADS:
        return
    count = len(cluster.nodes) if manifest["kind"] == "DaemonSet" else manifest["spec"].get("replicas", 1)
    for container in manifest["spec"]["template"]["spec"]["containers"]:
        name = container["image"].rpartition(":")[0].rpartition("/")[2]
        size = cluster.engine.size(images.image(name).reference) / 1e6
        asked, most = (parse(container["resources"][what]["memory"]) * count / MIB for what in ("requests", "limits"))
        yield manifest["metadata"]["name"], name, size, asked, most


def _sum(takes: pd.DataFrame) -> str:
    size = takes.drop_duplicates("image")["image_mb"].sum()
    count = takes["image"].nunique()
    return (
        f"{count} image{'s' * (count > 1)}, {quantity(size, 'MB')}; "
        f"memory {quantity(takes['request_mib'].sum(), 'MiB')}, at most {quantity(takes['limit_mib'].sum(), 'MiB')}"
    )


def _listed(cluster: Cluster, kind: str, labels: str) -> list[Object]:
    try:
        return cluster.kube.list(kind, labels=labels)
    except ApiError as e:
        if e.status != 404:
            raise
        return []  # its definition does not exist


def _refuse_foreign(cluster: Cluster, manifests: list[Object]) -> None:
    for manifest in manifests:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        try:
            found = cluster.kube.get(kind, name)
        except ApiError as e:
            if e.status != 404:
                raise
            continue  # the kind itself is not defined yet
        if found and found["metadata"].get("labels", {}).get(LABEL) != cluster.identity.mark:
            raise NotOurs(f"{kind}/{name} exists and was not made by the kit; it was left alone")


def _all_ready(stateful_set: Object | None) -> bool:
    """Every replica of a StatefulSet is of its newest template, and ready."""
    status, spec = (stateful_set or {}).get("status", {}), (stateful_set or {}).get("spec", {})
    counts = {status.get("readyReplicas", 0), status.get("updatedReplicas", 0)}
    return _observed(stateful_set) and counts == {spec.get("replicas", 1)}


def _everywhere(daemon_set: Object | None) -> bool:
    """A DaemonSet's pod on every node is of its newest template, and ready."""
    status = (daemon_set or {}).get("status", {})
    counts = {status.get("numberReady", 0), status.get("updatedNumberScheduled", 0)}
    return _observed(daemon_set) and counts == {status.get("desiredNumberScheduled")}


def _observed(workload: Object | None) -> bool:
    """Whether the status is for the object's current specification."""
    if workload is None:
        return False
    return bool(workload.get("status", {}).get("observedGeneration") == workload["metadata"]["generation"])


WORKLOADS: dict[str, Callable[[Object | None], bool]] = {
    "Deployment": app.rolled_out,
    "StatefulSet": _all_ready,
    "DaemonSet": _everywhere,
}
READY = {**WORKLOADS, "APIService": wait.condition("Available")}
