"""One way to install any stack, to wait until it is ready, and to remove it without a trace.

A stack has a namespace; what it needs of the whole cluster (roles, classes, definitions) carries the kit's mark and the stack's
instance label, and goes with `remove`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pandas as pd

from kitlib import app, images, kustomize, registry, wait
from kitlib.cluster import Cluster, Space
from kitlib.errors import ApiError, NotOurs, SupplyError
from kitlib.kube import Object, Ref
from kitlib.owner import LABEL
from kitlib.stats import quantity

SECONDS = 180
MIB = 1 << 20
# What a stack can have outside of its namespace, in the order in which it goes; definitions after what they define.
AGGREGATED = ("APIService",)
WIDE = ("GatewayClass", "IngressClass", "ClusterRoleBinding", "ClusterRole")
DEFINITION = "CustomResourceDefinition"
UNITS = {"Ki": 1 << 10, "Mi": MIB, "Gi": 1 << 30, "k": 1e3, "M": 1e6, "G": 1e9}


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
        return f"kit-{self.name}"


def install(cluster: Cluster, stack: Stack, *, definitions: Sequence[Object] = (), seconds: float = SECONDS) -> Space:
    """Make a stack be there and ready; what is there already is kept.  Says what it takes before it starts anything.

    definitions: CustomResourceDefinitions to establish first.  Raises NotOurs, before anything is done, when something of the whole
    cluster that it needs is there and another's; SupplyError for an image that this supply does not have; WaitTimeout.
    """
    _require(stack)
    manifests = render(cluster, stack)
    _refuse_foreign(cluster, [*definitions, *(m for m in manifests if "namespace" not in m["metadata"])])
    print(f"{stack.name}: {_sum(_footprint(cluster, manifests))}")
    began = time.monotonic()
    space = cluster.space(stack.name)
    for ref in space.apply(*definitions):
        wait.until(cluster.kube, ref.kind, ref.name, done=wait.condition("Established"), what="established")
    for ref in space.apply(*manifests):
        if ref.kind in READY:
            done = READY[ref.kind]
            wait.until(cluster.kube, ref.kind, ref.name, ref.namespace, done=done, what="ready", seconds=seconds)
    print(f"{stack.name}: ready after {time.monotonic() - began:.1f} s")
    return space


def find(cluster: Cluster, stack: Stack) -> Space | None:
    """The stack's namespace if it was installed.  Raises NotOurs when somebody else made it."""
    return Space.find(cluster, stack.name)


def remove(cluster: Cluster, stack: Stack) -> None:
    """Take away everything that belongs to a stack; returns when it is gone.  Nothing is no error."""
    unregister(cluster, stack)
    if space := find(cluster, stack):
        space.undo()
    _take(cluster, stack, WIDE)
    _take(cluster, stack, (DEFINITION,))


def remove_all(cluster: Cluster, stacks: Iterable[Stack], beside: Iterable[Space] = ()) -> None:
    """Take stacks away, and these namespaces, side by side: Kubernetes waits five seconds before it begins with one."""
    going = [*(partial(remove, cluster, stack) for stack in stacks), *(space.undo for space in beside)]
    with ThreadPoolExecutor(len(going)) as pool:
        list(pool.map(lambda go: go(), going))


def unregister(cluster: Cluster, stack: Stack) -> None:
    """Take its APIServices away: as long as one is there and its server is not, no namespace of the cluster can be deleted."""
    _take(cluster, stack, AGGREGATED)


def _take(cluster: Cluster, stack: Stack, kinds: Iterable[str]) -> None:
    refs = [ref for ref in left(cluster, stack, kinds) if cluster.kube.delete(ref)]
    for ref in refs:
        wait.until(cluster.kube, ref.kind, ref.name, done=wait.gone, what="gone", seconds=SECONDS)


def left(cluster: Cluster, stack: Stack, kinds: Iterable[str] = (*AGGREGATED, *WIDE, DEFINITION)) -> list[Ref]:
    """The kit's objects of a stack that are in no namespace."""
    labels = f"{LABEL}={cluster.owner.mark},app.kubernetes.io/instance={stack.instance}"
    return [Ref.of(found) for kind in kinds for found in _listed(cluster, kind, labels)]


def render(cluster: Cluster, stack: Stack) -> list[Object]:
    """Its manifests, with images as the cluster's registry has them: each is made and published if it is not there."""
    for name in stack.images:
        cluster.image(name)
    return _rendered(stack)


def footprint(cluster: Cluster, stack: Stack) -> pd.DataFrame:
    """What a stack takes, a row a container: component, image, image_mb, request_mib, limit_mib (memory, of all its replicas).

    Its images are made if they are not here; nothing reaches the cluster.
    """
    images.ensure(cluster.engine, stack.images)
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
    reference, _, tag = registry.published(name).rpartition(":")
    return {"name": name, "newName": reference, "newTag": tag}


def _footprint(cluster: Cluster, manifests: Sequence[Object]) -> pd.DataFrame:
    rows = [row for manifest in manifests for row in _rows(cluster, manifest)]
    return pd.DataFrame(rows, columns=["component", "image", "image_mb", "request_mib", "limit_mib"])


def _rows(cluster: Cluster, manifest: Object) -> Iterator[tuple[str, str, float, float, float]]:
    """A DaemonSet counts once a node."""
    if manifest["kind"] not in WORKLOADS:
        return
    count = len(cluster.nodes) if manifest["kind"] == "DaemonSet" else manifest["spec"].get("replicas", 1)
    for container in manifest["spec"]["template"]["spec"]["containers"]:
        name = container["image"].rpartition(":")[0].rpartition("/")[2]
        size = cluster.engine.size(images.image(name).reference) / 1e6
        asked, most = (
            in_bytes(container["resources"][what]["memory"]) * count / MIB for what in ("requests", "limits")
        )
        yield manifest["metadata"]["name"], name, size, asked, most


def _sum(takes: pd.DataFrame) -> str:
    size = takes.drop_duplicates("image")["image_mb"].sum()
    count = takes["image"].nunique()
    return (
        f"{count} image{'s' * (count > 1)}, {quantity(size, 'MB')}; "
        f"memory {quantity(takes['request_mib'].sum(), 'MiB')}, at most {quantity(takes['limit_mib'].sum(), 'MiB')}"
    )


def in_bytes(memory: str) -> float:
    """A Kubernetes quantity of memory."""
    number = memory.rstrip("KMGik")
    return float(number) * UNITS.get(memory.removeprefix(number), 1)


def _listed(cluster: Cluster, kind: str, labels: str) -> list[Object]:
    try:
        return cluster.kube.list(kind, labels=labels)
    except ApiError as e:
        if e.status != 404:
            raise
        return []  # its definition is not there


def _refuse_foreign(cluster: Cluster, manifests: list[Object]) -> None:
    for manifest in manifests:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        try:
            found = cluster.kube.get(kind, name)
        except ApiError as e:
            if e.status != 404:
                raise
            continue  # the kind itself is yet to come
        if found and found["metadata"].get("labels", {}).get(LABEL) != cluster.owner.mark:
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
    """The status is of what the object says now."""
    if workload is None:
        return False
    return bool(workload.get("status", {}).get("observedGeneration") == workload["metadata"]["generation"])


WORKLOADS: dict[str, Callable[[Object | None], bool]] = {
    "Deployment": app.rolled_out,
    "StatefulSet": _all_ready,
    "DaemonSet": _everywhere,
}
READY = {**WORKLOADS, "APIService": wait.condition("Available")}
