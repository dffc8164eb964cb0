"""Making the kit's cluster be there and ready, and taking it away without a trace."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker.errors
import yaml

from kitlib import (
    cluster,
    control_plane,
    dockerd,
    images,
    ingress,
    nodes,
    owner,
    paths,
    proc,
    ready,
    registry,
    supply,
    tools,
)
from kitlib import engine as engines
from kitlib.cluster import Cluster
from kitlib.console import say, step
from kitlib.engine import Engine, mapped
from kitlib.errors import UsageError
from kitlib.lock import exclusive
from kitlib.owner import LABEL, Owner

OPEN_TO_PODS = {"kind": "InitConfiguration", "nodeRegistration": {"taints": []}}


def up(profile: str | None = None) -> Cluster:
    """Make the cluster be there and ready; what is there already is kept.  Any step can be interrupted and is resumed.

    profile: one of nodes.WORKERS, for a cluster that is not there yet (default: one-node).  Raises UsageError when the cluster is
    there with another one.
    """
    with exclusive("up"):
        engine = engines.ensure()
        supply.announce()
        _refuse_foreign(engine)
        images.ensure(engine, ("node", "registry", ready.IMAGE))
        record = _record(profile)
        _network(engine, record)
        with ThreadPoolExecutor(1) as beside:  # kind waits for the node most of its time
            filled = beside.submit(_registry, engine, record)
            record = _nodes(engine, record)
            filled.result()
        made = Cluster(engine, record)
        control_plane.wake(made)  # an experiment may have been killed while it kept a part silent
        if not record.proved:
            nodes.connect(made)
            with step("waiting for the cluster: API, nodes, DNS, storage, registry"):
                ready.wait_all(made)
            record.noted(proved=True)
        images.ensure(engine, images.common())
        ingress.fetch()
        return cluster.bind()


def down(*, with_images: bool = False) -> None:
    """Remove everything of this cluster: containers, network, volume, state; and an engine of the kit that nobody else uses."""
    with exclusive("down"):
        engine = engines.connect()
        record = owner.load()
        if engine and record:
            with step(f"removing cluster {record.cluster}"):
                _remove(engine, record)
        if record:
            owner.forget(record)
        if engine and with_images:
            _remove_images(engine)
        if engine and engine.ours and not engine.client.containers.list(all=True):
            dockerd.stop()


def _refuse_foreign(engine: Engine) -> None:
    """Raise NotOurs when a container or network has a name that the cluster needs and carries another mark, or none."""
    record = owner.load()
    mine = record.mark if record else None
    name = owner.cluster_name()
    with mapped("looking for the cluster's containers"):
        for container in engine.client.containers.list(
            all=True, filters={"name": f"^/?{name}-(control-plane|worker|registry)$"}
        ):
            if not cluster.is_mine(container, record):
                raise owner.foreign("container", container.name)
        for network in engine.client.networks.list(names=[f"^{name}$"]):
            if mine is None or network.attrs["Labels"].get(LABEL) != mine:
                raise owner.foreign("network", network.name)


def _network(engine: Engine, record: Owner) -> None:
    """A network of the kit's own, so that kind does not make its shared one."""
    with mapped("making the network"):
        if not engine.client.networks.list(names=[f"^{record.cluster}$"]):
            engine.client.networks.create(record.cluster, driver="bridge", labels=record.labels)


def _record(profile: str | None) -> Owner:
    record = owner.load()
    if record is None:
        return owner.create(profile or "one-node")
    if profile not in (None, record.profile):
        raise UsageError(
            f"the cluster is there, as {record.profile}", hint=f"./kit down, then ./kit up --profile {profile}"
        )
    return record


def _registry(engine: Engine, record: Owner) -> None:
    """Make the registry run, with the image by which the cluster is proved to be ready."""
    registry.publish(engine, registry.ensure(engine, record), ready.IMAGE)


def _nodes(engine: Engine, record: Owner) -> Owner:
    """Make the nodes run; returns the record, not `proved` when any was created or started just now."""
    found = [c for name in nodes.names(record) if (c := _container(engine, name))]
    if not record.kube_system or len(found) < len(nodes.names(record)):
        if found:
            say("a node is missing or half made: creating the cluster again")
        for container in found:
            container.remove(force=True, v=True)
        return _create(engine, record)
    stopped = [container for container in found if container.status != "running"]
    if not stopped:
        return record
    with step("starting the nodes"), mapped("starting the nodes"):
        for container in stopped:
            container.start()
    return record.noted(proved=False)


def _container(engine: Engine, name: str) -> Any:
    with mapped(f"looking for {name}"):
        try:
            return engine.client.containers.get(name)
        except docker.errors.NotFound:
            return None


def _kind_config(record: Owner) -> str:
    """cluster/kind.yaml for this cluster, with as many workers as its profile has."""
    template = (paths.ROOT / "cluster" / "kind.yaml").read_text()
    config = yaml.safe_load(template.format(name=record.cluster, owner=record.folder))
    (first,) = config["nodes"]
    config["nodes"] += [{**first, "role": "worker"}] * nodes.WORKERS[record.profile]
    # A lone node is opened to pods by kind itself, which fails where there is nothing to open.
    if len(config["nodes"]) > 1:
        config["kubeadmConfigPatches"].append(yaml.safe_dump(OPEN_TO_PODS))
    return yaml.safe_dump(config)


def _create(engine: Engine, record: Owner) -> Owner:
    record = record.noted(ca="", kube_system="", proved=False)
    config = owner.home() / "kind.yaml"
    # where the API server's pod and kubeadm find them
    shutil.copy(paths.ROOT / "cluster" / "audit-policy.yaml", record.folder)
    shutil.copytree(paths.ROOT / "cluster" / "kubeadm", record.folder / "kubeadm", dirs_exist_ok=True)
    config.write_text(_kind_config(record))
    image = images.image("node").reference
    argv: list[str | Path] = [tools.kind(), "create", "cluster", "--config", config, "--image", image]
    argv += ["--kubeconfig", owner.kubeconfig()]
    env = {**engine.environment(), "KIND_EXPERIMENTAL_DOCKER_NETWORK": record.cluster}
    with step(f"creating cluster {record.cluster}") as line, tools.on_path():
        proc.run(argv, env=env, on_line=line)
    owner.kubeconfig().chmod(0o600)
    ca, kube_system = cluster.identity(Cluster(engine, record))
    return record.noted(ca=ca, kube_system=kube_system)


def _remove(engine: Engine, record: Owner) -> None:
    with mapped("removing the cluster"):
        for container in engine.client.containers.list(all=True, ignore_removed=True):
            if cluster.is_mine(container, record):
                if container.status == "running" and container.name in nodes.names(record):
                    nodes.thaw(engine, container.name)
                container.remove(force=True, v=True)
        for volume in engine.client.volumes.list(filters={"label": f"{LABEL}={record.mark}"}):
            volume.remove()
        for network in engine.client.networks.list(filters={"label": f"{LABEL}={record.mark}"}):
            network.remove()
        for image in engine.client.images.list(filters={"label": f"{LABEL}={record.mark}"}):
            engine.client.images.remove(str(image.id), force=True)


def _remove_images(engine: Engine) -> None:
    with step("removing the kit's images"), mapped("removing the kit's images"):
        for image in engine.client.images.list(filters={"label": images.LABEL}):
            engine.client.images.remove(str(image.id), force=True)
        engine.client.api.prune_builds()
