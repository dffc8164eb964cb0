"""The kit's one cluster, bound and checked; lifecycle.py creates and removes it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import docker.errors
import yaml

from kitlib.cluster import local_registry, placement
from kitlib.engine import client as engines
from kitlib.engine import commands
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import ClusterError, KitError, NotOurs
from kitlib.host import identity, preparation
from kitlib.host.identity import LABEL, Identity
from kitlib.kube import wait
from kitlib.kube.client import Kube, Object, Ref
from kitlib.supply import builder, images

WORKLOADS = (
    "CronJob",
    "Job",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
)  # controllers that would recreate pods
APP_LABELS = {"app.kubernetes.io/managed-by": "kit", "app.kubernetes.io/part-of": "cloudnative-go-kit"}


@dataclass(frozen=True)
class Cluster:
    """The bound cluster: its engine, its API and the record that proves whose it is."""

    engine: Engine
    identity: Identity

    def __repr__(self) -> str:
        return f"Cluster {self.identity.cluster}, {len(self.nodes)} node{'s' * (len(self.nodes) > 1)}"

    @cached_property
    def kube(self) -> Kube:
        """A client for the cluster's API server.  Raises ClusterError when the kubeconfig cannot be used."""
        with identity.reading(identity.kubeconfig()):
            return Kube(identity.kubeconfig())

    @property
    def node(self) -> str:
        """The node with the control plane."""
        return self.identity.control_plane

    @property
    def nodes(self) -> tuple[str, ...]:
        """All nodes, the control plane's first."""
        return self.identity.nodes

    def image(self, name: str) -> str:
        """Publish an image to the cluster's registry; returns the reference for a manifest."""
        builder.ensure(self.engine, [name])
        return local_registry.publish(self.engine, self.registry, name)

    @property
    def registry(self) -> str:
        """127.0.0.1:PORT."""
        container = local_registry.find(self.engine, self.identity)
        if container is None:
            raise ClusterError("the cluster's registry is gone", hint="./kit up")
        return local_registry.address(container)

    def on_node(self, *argv: str, check: bool = True, node: str = "") -> str:
        """Run a command on a node, by default the control plane's; returns its stdout.  Raises ClusterError when it fails, if check."""
        where = node or self.node
        ran = commands.run(self.engine, where, argv)
        if check and ran.code != 0:
            raise ClusterError(f"{' '.join(argv)} returned {ran.code} on {where}", observed=ran.text.splitlines()[-10:])
        return ran.data

    def namespace(self, name: str, *, fresh: bool = False) -> Namespace:
        """The namespace kit-NAME, created when it is missing; fresh: emptied first.  Raises NotOurs when the kit did not make it."""
        found = Namespace.find(self, name)
        if found and not fresh:
            return found
        if found:
            found.undo()
        return Namespace.make(self, name)


@dataclass(frozen=True)
class Namespace:
    """A namespace that the kit made; `undo` removes it with everything in it."""

    cluster: Cluster
    ref: Ref

    def __repr__(self) -> str:
        return f"Namespace {self.name}"

    @classmethod
    def find(cls, cluster: Cluster, name: str) -> Namespace | None:
        """The namespace kit-NAME if it exists.  Raises NotOurs when the kit did not make it."""
        found = cluster.kube.get("Namespace", f"kit-{name}")
        if found is None:
            return None
        if found["metadata"].get("labels", {}).get(LABEL) != cluster.identity.mark:
            raise NotOurs(
                f"namespace kit-{name} exists and was not made by the kit; it was left alone",
                hint=f"rename it, or remove it: kubectl delete namespace kit-{name}",
            )
        return cls.of(cluster, found)

    @classmethod
    def of(cls, cluster: Cluster, found: Object) -> Namespace:
        """A namespace that exists; from now on, the client says when it is gone."""
        cluster.kube.relied_on.add(found["metadata"]["name"])
        return cls(cluster, Ref.of(found))

    @classmethod
    def make(cls, cluster: Cluster, name: str) -> Namespace:
        """Create the namespace kit-NAME and wait until pods can be made in it."""
        labels = {**APP_LABELS, "app.kubernetes.io/name": f"kit-{name}", LABEL: cluster.identity.mark}
        manifest: Object = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": f"kit-{name}", "labels": labels},
        }
        (ref,) = cluster.kube.apply([manifest])
        wait.until(cluster.kube, "ServiceAccount", "default", ref.name, done=wait.exists, what="there")
        cluster.kube.relied_on.add(ref.name)
        return cls(cluster, ref)

    @property
    def name(self) -> str:
        """Its full name in the cluster: kit-NAME."""
        return self.ref.name

    def apply(self, *manifests: Object) -> list[Ref]:
        """Apply objects here, with the kit's labels.  Raises NamespaceGone when the namespace was deleted meanwhile."""
        return self.cluster.kube.apply(
            manifests, namespace=self.name, labels={**APP_LABELS, LABEL: self.cluster.identity.mark}
        )

    def undo(self) -> None:
        """Delete the namespace and all in it; returns when it is gone.

        Kubernetes begins with a namespace only five seconds after it was deleted (pkg/controller/namespace), so that comes first, and
        meanwhile its pods go, with a second's notice: one in which pods are found is looked at again after half of their grace period.
        Claims have to be gone before: something else finishes them, and where one is found, that look is nearly nine seconds away.
        """
        kube = self.cluster.kube
        kube.relied_on.discard(self.name)
        found = kube.get("Namespace", self.name)
        if found is None or Ref.of(found) != self.ref:
            return
        claims = kube.list("PersistentVolumeClaim", self.name)
        if not claims:
            kube.delete(self.ref)
        for kind in WORKLOADS:
            kube.clear(kind, self.name)
        kube.clear("Pod", self.name, grace=1)
        for pod in kube.list("Pod", self.name):
            wait.until(kube, "Pod", pod["metadata"]["name"], self.name, done=wait.gone, what="gone")
        if claims:
            kube.clear("PersistentVolumeClaim", self.name)
            for claim in claims:
                wait.until(kube, claim["kind"], claim["metadata"]["name"], self.name, done=wait.gone, what="gone")
            kube.delete(self.ref)
        wait.until(kube, "Namespace", self.name, done=wait.gone, what="gone", seconds=120)


def bind() -> Cluster:
    """The kit's own cluster, checked to be the one that was recorded; in a kernel, once it has been prepared.

    Raises ClusterError or NotOurs with the next step.
    """
    preparation.awaited("cluster")
    return _bound()


def _bound() -> Cluster:
    record = identity.load()
    if record is None or not record.kube_system:
        raise ClusterError("the kit has no cluster yet", hint="./kit up")
    cluster = Cluster(engines.current(), placement.confirmed(engines.current(), record, "up"))
    _check_nodes(cluster.engine, record)
    if proof(cluster) != (record.ca, record.kube_system):
        raise NotOurs(
            f"the cluster that answers is not the one that was recorded for {record.cluster}; it was left alone",
            hint="./kit down, then ./kit up",
        )
    return cluster


def explain() -> list[str]:
    """What is wrong in the bound cluster (pods that are not ready, their logs, warnings), as lines; [] when nothing is, or none answers."""
    try:
        return wait.explain(_bound().kube)
    except KitError:
        return []


def describe() -> dict[str, Any]:
    """For the stamp; {} without a cluster."""
    try:
        return _described()
    except KitError:
        return {}


@cache
def _described() -> dict[str, Any]:
    cluster = _bound()
    return {
        "version": cluster.kube.version(),
        "node_image": images.image("node").reference,
        "nodes": len(cluster.kube.list("Node")),
    }


def _check_nodes(engine: Engine, record: Identity) -> None:
    with mapped("looking for the nodes"):
        try:
            found = [engine.client.containers.get(name) for name in record.nodes]
        except docker.errors.NotFound as e:
            raise ClusterError(f"a node is gone: {e.explanation}", hint="./kit up") from None
    for container in found:
        if not identity.is_mine(container, record):
            raise identity.foreign("container", container.name)


def proof(cluster: Cluster) -> tuple[str, str]:
    """SHA-256 of the CA that the kubeconfig trusts, and kube-system's UID as the API server behind it says."""
    with identity.reading(identity.kubeconfig()):
        entry = yaml.safe_load(identity.kubeconfig().read_text())["clusters"][0]["cluster"]
        ca = hashlib.sha256(base64.b64decode(entry["certificate-authority-data"])).hexdigest()
    system = cluster.kube.get("Namespace", "kube-system")
    if system is None:
        raise ClusterError("the cluster has no kube-system namespace", hint="./kit down, then ./kit up")
    return ca, system["metadata"]["uid"]
