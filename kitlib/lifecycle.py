"""Making the kit's cluster be there and ready, and taking it away without a trace."""

from __future__ import annotations

from pathlib import Path

import docker.errors

from kitlib import cluster, dockerd, images, owner, paths, proc, ready, registry, supply, tools
from kitlib import engine as engines
from kitlib.cluster import Cluster
from kitlib.console import say, step
from kitlib.engine import Engine, mapped
from kitlib.lock import exclusive
from kitlib.owner import LABEL, Owner


def up() -> Cluster:
    """Make the cluster be there and ready; what is there already is kept.  Any step can be interrupted and is resumed."""
    with exclusive("up"):
        engine = engines.ensure()
        supply.announce()
        _refuse_foreign(engine)
        images.ensure(engine, ("node", "registry", "alpine"))
        record = owner.load() or owner.create()
        _network(engine, record)
        record = _node(engine, record)
        registry.ensure(engine, record)
        made = Cluster(engine, record)
        if not record.proved:
            ready.connect_registry(made)
            with step("waiting for the cluster: API, node, DNS, storage, registry"):
                ready.wait_all(made)
            record.noted(proved=True)
        images.ensure(engine, images.catalogue())
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
            all=True, filters={"name": f"^/?{name}-(control-plane|registry)$"}
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


def _node(engine: Engine, record: Owner) -> Owner:
    """Make the node run; returns the record, not `proved` when the node was created or started just now."""
    try:
        container = engine.client.containers.get(cluster.node_name(record))
    except docker.errors.NotFound:
        return _create(engine, record)
    if not record.kube_system:
        say("an earlier start was interrupted: creating the cluster again")
        container.remove(force=True, v=True)
        return _create(engine, record)
    if container.status == "running":
        return record
    with step("starting the node"), mapped("starting the node"):
        container.start()
    return record.noted(proved=False)


def _create(engine: Engine, record: Owner) -> Owner:
    record = record.noted(ca="", kube_system="", proved=False)
    config = owner.home() / "kind.yaml"
    template = (paths.ROOT / "cluster" / "kind.yaml").read_text()
    config.write_text(template.format(name=record.cluster, owner=record.folder))
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
                container.remove(force=True, v=True)
        for volume in engine.client.volumes.list(filters={"label": f"{LABEL}={record.mark}"}):
            volume.remove()
        for network in engine.client.networks.list(filters={"label": f"{LABEL}={record.mark}"}):
            network.remove()


def _remove_images(engine: Engine) -> None:
    with step("removing the kit's images"), mapped("removing the kit's images"):
        for image in engine.client.images.list(filters={"label": images.LABEL}):
            engine.client.images.remove(str(image.id), force=True)
        engine.client.api.prune_builds()
