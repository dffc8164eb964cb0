"""The links between the cluster's containers: their names, their network, and the addresses that the nodes were made with.

Docker hands addresses out in the order in which containers start, and a network that is removed and recreated is another one, to
which stopped containers do not belong.  A control plane works on one address only: it stands in certificates, manifests and etcd.
"""

from __future__ import annotations

import io
import ipaddress
import re
import tarfile
from collections.abc import Mapping
from typing import Any

import docker.errors
from docker.types import IPAMConfig, IPAMPool

from kitlib.cluster import local_registry, placement
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import ClusterError, EngineError
from kitlib.host.console import say, step
from kitlib.host.identity import Identity

ROLE = "io.x-k8s.kind.role"
FIXED = "local.kit.subnet"  # on a network: its range, when the kit has chosen it; only then Docker takes wishes for addresses
FLAGS = "/var/lib/kubelet/kubeadm-flags.env"  # kubeadm's flags for the kubelet, with the address that kind told it
STOP_SECONDS = 30
GUESSED_PREFIX = 24  # of a network that is gone; no pool of Docker's own is smaller


def join(engine: Engine, record: Identity) -> Identity:
    """Restore names, network and addresses; containers that have to be started again are left stopped.

    Returns the record, not `proved` when anything was changed; without `kube_system` when the addresses cannot be restored, so that
    the nodes have to be recreated.  Raises ClusterError when a container that is not the cluster's is in the way.
    """
    _rename(engine, record)
    network = _network(engine, record)
    present = {c.name: c for c in placement.containers(engine, record)}
    wanted = {name: _address(present[name]) for name in record.nodes if name in present}
    joined = [c for c in present.values() if _belongs(c, record)]
    if network is None and not joined:
        _make(engine, record)
        return record
    if network and not _taken(network, wanted) and not any(_is_off(c, network, wanted.get(c.name, "")) for c in joined):
        return record
    if network:
        _refuse_others(network, present, wanted)
    with step("giving the cluster's containers their network and addresses again"), mapped("joining the containers"):
        return _again(engine, record, network, joined, wanted)


def run(container: Any) -> None:
    """Start a container, or resume one that was paused."""
    if container.status == "paused":
        container.unpause()
    else:
        container.start()


def _rename(engine: Engine, record: Identity) -> None:
    """Nodes and registry are known by what they carry; kind and the API server's certificate know them by name."""
    with mapped("looking for the cluster's containers"):
        found = list(placement.containers(engine, record))
        taken = {container.name for container in found}
        for container in found:
            wanted = _name(container, record)
            if wanted and wanted not in taken:
                say(f"{container.name} is called {wanted} again")
                container.rename(wanted)
                taken.add(wanted)


def _name(container: Any, record: Identity) -> str:
    """The name that a node or the registry was made with; empty for other containers."""
    if _is_registry(container, record):
        return local_registry.name(record)
    role = container.labels.get(ROLE)
    return f"{record.cluster}-{role}" if role else ""


def _is_registry(container: Any, record: Identity) -> bool:
    return local_registry.volume(record) in {m.get("Name") for m in container.attrs.get("Mounts", [])}


def _network(engine: Engine, record: Identity) -> Any:
    with mapped("looking for the network"):
        for found in engine.client.networks.list(names=[f"^{record.cluster}$"]):
            found.reload()  # the list does not have a network's containers
            return found
    return None


def _make(engine: Engine, record: Identity, subnet: str = "") -> Any:
    """A network of the kit's own, so that kind does not make its shared one.  subnet: by default one that Docker chooses."""
    with mapped("making the network"):
        if not subnet:
            return engine.client.networks.create(record.cluster, driver="bridge", labels=record.labels)
        whole = ipaddress.ip_network(subnet)
        *_, upper = whole.subnets()  # for containers without a wish: kind's nodes got theirs from the lower half
        pool = IPAMPool(subnet=subnet, iprange=str(upper), gateway=str(whole[1]))
        labels = {**record.labels, FIXED: subnet}
        return engine.client.networks.create(
            record.cluster, driver="bridge", labels=labels, ipam=IPAMConfig(pool_configs=[pool])
        )


def _address(node: Any) -> str:
    """The address that the node was made with; empty when it never got one.  Works also for one that does not run."""
    try:
        chunks, _ = node.get_archive(FLAGS)
    except docker.errors.APIError:
        return ""
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        content = archive.extractfile(archive.getmembers()[0])
        found = re.search(r"--node-ip=([0-9.]+)", content.read().decode() if content else "")
    return found[1] if found else ""


def _is_off(container: Any, network: Any, wanted: str) -> bool:
    """Whether a container is not on this network, or would not have its address there when it is started."""
    endpoint = _endpoints(container).get(network.name)
    if endpoint is None or (endpoint.get("NetworkID") or network.id) != network.id:
        return True
    if container.status in ("running", "paused"):
        return not endpoint["IPAddress"] or (bool(wanted) and endpoint["IPAddress"] != wanted)
    return bool(wanted) and _pinned(endpoint) != wanted


def _endpoints(container: Any) -> Mapping[str, Any]:
    return container.attrs["NetworkSettings"]["Networks"] or {}


def _pinned(endpoint: Mapping[str, Any]) -> str:
    return str((endpoint.get("IPAMConfig") or {}).get("IPv4Address") or "")


def _belongs(container: Any, record: Identity) -> bool:
    """Whether a container has to be on the cluster's network, or is there."""
    has_a_name = bool(_name(container, record))
    return has_a_name or record.cluster in _endpoints(container)


def _taken(network: Any, wanted: Mapping[str, str]) -> list[str]:
    """The running containers that have the address of a node."""
    on_it = {about["Name"]: about["IPv4Address"].partition("/")[0] for about in network.attrs["Containers"].values()}
    return [name for name, address in on_it.items() if address in wanted.values() and wanted.get(name) != address]


def _refuse_others(network: Any, present: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    """Raise ClusterError when the network can neither be used nor recreated, because a container that is not the cluster's is on it."""
    on_it = [about["Name"] for about in network.attrs["Containers"].values()]
    hinder = _taken(network, wanted) if _takes_wishes(network) else on_it
    if others := [name for name in hinder if name not in present]:
        raise ClusterError(
            f"the container {others[0]} is not the cluster's, and keeps its nodes from their addresses",
            hint=f"docker network disconnect -f {network.name} {others[0]}, then ./kit up",
        )


def _takes_wishes(network: Any) -> bool:
    return FIXED in (network.attrs["Labels"] or {})


def _again(engine: Engine, record: Identity, network: Any, joined: list[Any], wanted: Mapping[str, str]) -> Identity:
    beside = [c for c in joined if not _name(c, record) and c.status == "running"]
    for container in joined:
        _stop(container)
        if record.cluster in _endpoints(container):  # by name: the network itself may be gone
            engine.client.api.disconnect_container_from_network(container.id, record.cluster, force=True)
    try:
        network = _fixed(engine, record, network, [address for address in wanted.values() if address])
        for container in joined:
            network.connect(container, ipv4_address=wanted.get(container.name) or None)
    except (docker.errors.APIError, EngineError) as e:
        say(f"the nodes' addresses cannot be restored: {e}")
        record = _anew(engine, record, [c for c in joined if c.name not in wanted])
    for container in beside:
        container.start()
    return record.noted(proved=False)


def _anew(engine: Engine, record: Identity, others: list[Any]) -> Identity:
    """A network for nodes that are recreated, with everything else on it."""
    network = _network(engine, record) or _make(engine, record)
    for container in others:
        container.reload()
        if network.name not in _endpoints(container):
            network.connect(container)
    return record.noted(kube_system="")


def _stop(container: Any) -> None:
    if container.status == "paused":
        container.unpause()
    if container.status in ("running", "paused", "restarting"):
        container.stop(timeout=STOP_SECONDS)


def _fixed(engine: Engine, record: Identity, network: Any, addresses: list[str]) -> Any:
    """A network that takes wishes for addresses, in the range of the one that is, or was, there."""
    if network is None:
        near = f"{addresses[0]}/{GUESSED_PREFIX}" if addresses else ""
        return _make(engine, record, str(ipaddress.ip_network(near, strict=False)) if near else "")
    if _takes_wishes(network):
        return network
    subnet = str(network.attrs["IPAM"]["Config"][0]["Subnet"])
    network.remove()
    return _make(engine, record, subnet)
