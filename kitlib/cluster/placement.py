"""Which engine has the cluster?  Its record says so by the engine's ID: an address can lead to another engine tomorrow, an ID cannot.

What carries the cluster's mark proves it as well, so that records of older versions, and engines that changed their ID, keep working.
Nothing is forgotten because an engine does not know it; only `./kit down --forget` does that, for an engine that is gone for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kitlib.engine import client as engines
from kitlib.engine import daemon
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import ClusterError
from kitlib.host import identity
from kitlib.host.identity import LABEL, Identity

KIND = "io.x-k8s.kind.cluster"  # kind's label, with the cluster's name


def confirmed(engine: Engine, record: Identity, command: str) -> Identity:
    """The record, naming this engine, when this engine has the cluster.  Raises ClusterError when another one has it.

    command: the kit's, as the error's next step names it.
    """
    here = engine.id
    if record.engine == here:
        return record
    unmade = not record.engine and not record.kube_system  # of an older version, which may have made nothing yet
    if not (unmade or holds(engine, record)):
        raise _elsewhere(record, f"not on the one at {engine.host}", command)
    return replace(record, engine=here, host=engine.host)


def reached(record: Identity | None, command: str) -> Engine | None:
    """The engine that answers; None when there is none, and no record of a cluster.

    An engine of the kit's own that has the cluster and does not run, as after a restart of the machine, is started.  Raises
    ClusterError when the cluster's engine does not answer.
    """
    engine = engines.connect()
    if engine or not record:
        return engine
    if own_engine_stopped() and record.engine in ("", daemon.identity()):
        return engines.ensure()
    raise _elsewhere(record, f"and none answers at {engines.asked()}", command)


def own_engine_stopped() -> bool:
    """Whether the kit's own engine is installed at the address where an engine is expected; called when none answers."""
    return bool(daemon.identity()) and engines.asked() in engines.OWN_ADDRESSES


def holds(engine: Engine, record: Identity) -> bool:
    """Whether the engine has anything of the cluster: a container, the network or the registry's volume."""
    marked = {"label": f"{LABEL}={record.mark}"}
    with mapped("looking for the cluster"):
        return bool(
            any(True for _ in containers(engine, record))
            or engine.client.networks.list(filters=marked)
            or engine.client.volumes.list(filters=marked)
        )


def containers(engine: Engine, record: Identity) -> Iterator[Any]:
    """All containers that this cluster owns, also those that do not run, under whatever names."""
    for container in engine.client.containers.list(all=True, ignore_removed=True):
        if identity.is_mine(container, record):
            yield container


def refuse_foreign(engine: Engine, record: Identity | None, command: str) -> None:
    """Raise NotOurs when a container or network has a name that the cluster needs and carries another mark, or none."""
    name = identity.cluster_name()
    with mapped("looking for the cluster's containers"):
        for container in _named(engine, name):
            if not identity.is_mine(container, record):
                raise identity.foreign("container", container.name, command)
        for network in engine.client.networks.list(names=[f"^{name}$"]):
            if record is None or (network.attrs["Labels"] or {}).get(LABEL) != record.mark:
                raise identity.foreign("network", network.name, command)


def _named(engine: Engine, name: str) -> Iterator[Any]:
    """Containers with a name that the cluster uses, and nodes of a kind cluster of its name: kind takes those for its own."""
    pattern = f"^/?{name}-((control-plane|worker)[0-9]*|external-load-balancer|registry)$"
    listed = engine.client.containers.list
    yield from listed(all=True, ignore_removed=True, filters={"name": pattern})
    yield from listed(all=True, ignore_removed=True, filters={"label": f"{KIND}={name}"})


def _elsewhere(record: Identity, seen: str, command: str) -> ClusterError:
    if not record.host:
        step = f"./kit {command} with DOCKER_HOST as it was when the cluster was made"
    elif record.host == engines.asked():
        step = f"start that engine, then ./kit {command}"
    else:
        step = f"DOCKER_HOST={record.host} ./kit {command}"
    return ClusterError(
        f"cluster {record.cluster} is on the container engine at {record.host or 'another address'}, {seen}; it was left as it is",
        hint=f"{step}; if that engine is gone for good: ./kit down --forget",
    )
