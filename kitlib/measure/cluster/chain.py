"""The steps between a manifest and a ready pod, and where each witness's record shows the end of one.

The chain of a pod in a Deployment, and the source of each moment:

    request received     the API server's audit log
    Deployment stored    etcd                              by the API server
    ReplicaSet stored    etcd                              by the Deployment controller
    Pod stored           etcd                              by the ReplicaSet controller
    Pod bound            etcd                              by the scheduler
    Pod seen             the kubelet's journal             by the kubelet: its watch
    sandbox asked for    containerd's journal              by the kubelet: volumes, cgroups
    sandbox made         containerd's journal              by containerd: namespaces, network
    container started    containerd's journal              by containerd: file system, process
    Ready stored         etcd                              by the kubelet: its probe, its report
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kitlib.kube.client import Object
from kitlib.measure.cluster.witnesses import Entry, Revision, Write

WORKERS = {  # the component whose step ends at a stamp, in the order of the chain
    "Deployment stored": "API server",
    "ReplicaSet stored": "Deployment controller",
    "Pod stored": "ReplicaSet controller",
    "Pod bound": "scheduler",
    "Pod seen": "kubelet: sees it",
    "sandbox asked for": "kubelet: prepares",
    "sandbox made": "containerd: sandbox",
    "container started": "containerd: container",
    "Ready stored": "kubelet: probes",
}
CHAINS = {
    "Deployment": ("request received", *WORKERS),
    "Pod": ("request received", "Pod stored", *list(WORKERS)[3:]),
}


@dataclass(frozen=True)
class Stamp:
    """A moment, in seconds since 1970 by the node's clock, and the witness that recorded it."""

    what: str
    at: float
    witness: str


def stamps(
    pod: Object,
    name: str,
    kind: str,
    revisions: Sequence[Revision],
    writes: Sequence[Write],
    *,
    kubelet: Sequence[Entry],
    containerd: Sequence[Entry],
) -> list[Stamp]:
    """The moments of the chain that any witness saw, in its order.  name: of the manifest that was sent.

    The kubelet's first status patch is no moment of the chain: it is sent beside the work, and can come after the sandbox.
    """
    meta = pod["metadata"]
    chain = {
        "request received": ("audit log", _received(writes, f"{kind.lower()}s", name)),
        "Deployment stored": ("etcd", _stored(revisions, writes, "deployments", name)),
        "ReplicaSet stored": ("etcd", _stored(revisions, writes, "replicasets", meta["name"].rpartition("-")[0])),
        "Pod stored": ("etcd", _stored(revisions, writes, "pods", meta["name"])),
        "Pod bound": ("etcd", _stored(revisions, writes, "pods/binding", meta["name"], nth=1)),
        "Pod seen": ("kubelet", _at(at for at, said in kubelet if meta["uid"] in said)),
        **{what: ("containerd", at) for what, at in _containerd(pod, containerd).items()},
        "Ready stored": ("etcd", _at(r.at for r in revisions if r.revision == int(meta["resourceVersion"]))),
    }
    return [Stamp(what, at, witness) for what in CHAINS[kind] for witness, at in [chain[what]] if at is not None]


def _received(writes: Iterable[Write], resource: str, name: str) -> float | None:
    return _at(w.received for w in writes if (w.resource, w.name) == (resource, name))


def _stored(
    revisions: Iterable[Revision], writes: Iterable[Write], resource: str, name: str, *, nth: int = 0
) -> float | None:
    """When etcd had the nth value of an object: by its watch, and not later than the API server's answer to the writer.

    The watch's lines come through a pipe, which may be slow on a busy machine; the answer bounds that.  A request that lets the
    server make up a name (pods of a ReplicaSet) is in the audit log without one.
    """
    key = f"/{resource.partition('/')[0]}/"
    seen = [r.at for r in revisions if key in r.key and r.key.endswith(f"/{name}")][nth : nth + 1]
    answered = [w.answered for w in writes if w.resource == resource and w.name in (name, "")][:1]
    return min([*seen, *answered]) if seen else None


def _containerd(pod: Object, journal: Sequence[Entry]) -> dict[str, float | None]:
    """Sandbox and container of a pod; containerd logs a line when it is asked, and one when it has done it."""
    uid = pod["metadata"]["uid"]
    (status,) = pod["status"]["containerStatuses"]
    container = status["containerID"].rpartition("/")[2]

    def when(call: str, about: str, done: Callable[[str], bool]) -> float | None:
        return _at(at for at, said in journal if call in said and about in said and done(said))

    return {
        "sandbox asked for": when("RunPodSandbox", uid, lambda said: "returns" not in said),
        "sandbox made": when("RunPodSandbox", uid, lambda said: "returns sandbox id" in said),
        "container started": when("StartContainer", container, lambda said: "returns successfully" in said),
    }


def _at(moments: Iterable[float]) -> float | None:
    return next(iter(moments), None)
