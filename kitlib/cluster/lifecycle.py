"""Creating or starting the kit's cluster, and removing it without a trace."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker.errors
import yaml

from kitlib import paths
from kitlib.cluster import bound as cluster
from kitlib.cluster import control_plane, local_registry, nodes, placement, ready, removal, wiring
from kitlib.cluster.bound import Cluster
from kitlib.engine import client as engines
from kitlib.engine import daemon, plugins
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import ApiError, ClusterError, EngineError, UsageError
from kitlib.host import environment, identity, preparation, proc, tools
from kitlib.host.console import say, step
from kitlib.host.identity import LABEL, Identity
from kitlib.host.lock import exclusive
from kitlib.supply import builder
from kitlib.supply import choice as supply
from kitlib.supply import images as catalogue

FOLDER = paths.ROOT / "cluster"
API_SECONDS = 120.0
OPEN_TO_PODS = {"kind": "InitConfiguration", "nodeRegistration": {"taints": []}}


def engine() -> Engine:
    """The engine that has the cluster, or will have it, started by the kit if need be, and the docker command line for it.

    Raises EngineError with the next step, ClusterError when another engine has the cluster.
    """
    with exclusive("up"):
        found = _engine()
        tools.docker()
        plugins.client_configuration()
        return found


def up(profile: str | None = None, *, images: Iterable[str] | None = None) -> Cluster:
    """Create or start the cluster and wait until it is ready; existing parts are kept.  An interrupted step is resumed by the next call.

    profile: one of identity.PROFILES, for a new cluster (default: one-node).  images: those to make afterwards, by default all that belong
    to no stack.  Raises UsageError when the cluster exists with another profile, ClusterError when another engine has it.
    """
    with exclusive("up"):
        engine = _engine()
        supply.announce()
        builder.ensure(engine, ("node", "registry", ready.IMAGE))
        record = _record(engine, profile)
        _furnish(record)
        record = wiring.join(engine, record)
        with ThreadPoolExecutor(1) as beside:  # kind waits for the node most of its time
            filled = beside.submit(_registry, engine, record)
            record = _nodes(engine, record)
            filled.result()
        made = Cluster(engine, record)
        control_plane.wake(made)  # an experiment may have been killed while it kept a part silent
        if not record.proved or not _answers(made):
            with step("waiting for the cluster: API, nodes, DNS, storage, registry"):
                _wait(made)
            record.noted(proved=True)
        elif len(made.nodes) > 1:
            nodes.connect(made)  # routes are lost where something else than `up` has started a node again
        builder.ensure(engine, catalogue.common() if images is None else images)
        return cluster.bind()


def down(*, with_images: bool = False) -> None:
    """Remove everything of this cluster: containers, network, volume, state; and stop the kit's own engine if it has no container left.

    with_images: the images that this checkout made as well.  What this checkout did not make stays.  Raises ClusterError, and forgets
    nothing, when the engine that has the cluster does not answer or is another one; NotOurs when a foreign cluster has its name.
    """
    with exclusive("down"):
        preparation.forget()
        record = identity.load()
        engine = placement.reached(record, "down")
        if engine is None and with_images:
            engine = _engine_with_images()
        if engine is None:
            say(f"there is no cluster {identity.cluster_name()} of this checkout")
            return
        if record:
            record = placement.confirmed(engine, record, "down")
            with step(f"removing cluster {record.cluster}"):
                removal.cluster(engine, record)
            identity.forget(record)
        placement.refuse_foreign(engine, None, "down")
        if not record:
            say(f"there is no cluster {identity.cluster_name()} of this checkout")
        if with_images:
            removal.checkouts_images(engine)
        removal.idle_engine(engine)


def forget() -> None:
    """Forget a cluster whose engine is gone for good; nothing is removed.  Raises UsageError when the engine that has it is there."""
    with exclusive("down"):
        record = identity.load()
        if record is None:
            say(f"there is no cluster {identity.cluster_name()} of this checkout")
            return
        engine = engines.connect()
        there = engine and (engine.id == record.engine or placement.holds(engine, record))
        if there or (not engine and placement.own_engine_stopped() and record.engine == daemon.identity()):
            raise UsageError(f"cluster {record.cluster} is not lost: its engine is there", hint="./kit down removes it")
        identity.forget(record)
        say(
            f"cluster {record.cluster} is forgotten.  If its engine comes back, the rest of it there has the label "
            f"{LABEL}={record.mark}, and its nodes are called {record.cluster}-..."
        )


def _engine() -> Engine:
    """The engine for the cluster.  Raises NotOurs when something else there has its names."""
    known = identity.load()
    found = placement.reached(known, "up") or engines.ensure()
    if known:
        known = placement.confirmed(found, known, "up").noted()
    placement.refuse_foreign(found, known, "up")
    return found


def _engine_with_images() -> Engine:
    """The kit's own engine, which keeps its images while it does not run.  Raises EngineError for any other that does not answer."""
    if not placement.own_engine_stopped():
        raise EngineError(
            f"no container engine answers at {engines.asked()}; no image was removed",
            hint="start it, then ./kit down --images",
        )
    return engines.ensure()


def _record(engine: Engine, profile: str | None) -> Identity:
    record = identity.load()
    if record is None:
        return identity.create(profile or "one-node", engine=engine.id, host=engine.host)
    if profile not in (None, record.profile):
        raise UsageError(
            f"the cluster exists with the profile {record.profile}",
            hint=f"./kit down, then ./kit up --profile {profile}",
        )
    return record


def _registry(engine: Engine, record: Identity) -> None:
    """Start the registry, and publish the image by which the cluster is proved to be ready."""
    local_registry.publish(engine, local_registry.ensure(engine, record), ready.IMAGE)


def _nodes(engine: Engine, record: Identity) -> Identity:
    """Start the nodes; returns the record, not `proved` when any was created or started just now."""
    found = [c for name in record.nodes if (c := _container(engine, name))]
    if not record.kube_system or len(found) < len(record.nodes):
        if found:
            say("a node is missing or half made: creating the cluster again")
        for container in found:
            container.remove(force=True, v=True)
        return _create(engine, record)
    stopped = [container for container in found if container.status != "running"]
    if stopped:
        with step("starting the nodes"), mapped("starting the nodes"):
            for container in stopped:
                wiring.run(container)
        record = record.noted(proved=False)
    if not identity.kubeconfig().exists():
        _export(engine, record)
    return record


def _export(engine: Engine, record: Identity) -> None:
    """Restore a lost kubeconfig from the node."""
    argv: list[str | Path] = [tools.kind(), "export", "kubeconfig", "--name", record.cluster]
    proc.run([*argv, "--kubeconfig", identity.kubeconfig()], env={**engine.environment(), "PATH": tools.path()})
    identity.kubeconfig().chmod(0o600)


def _answers(made: Cluster) -> bool:
    """Whether the API server answers: it does not yet when the nodes have just been started."""
    try:
        return bool(made.kube.version())
    except ApiError:
        return False


def _wait(made: Cluster) -> None:
    """The API server of nodes that have just been started again does not answer at once; their routes are lost, and it knows them."""
    try:
        control_plane.heal(made, API_SECONDS)
    except ClusterError as e:
        hint = "./kit up once more; if it stays like this: ./kit down, then ./kit up"
        raise ClusterError(e.message, observed=e.observed, hint=hint) from e
    ready.wait_api(made)
    nodes.connect(made)
    ready.wait_all(made)


def _container(engine: Engine, name: str) -> Any:
    with mapped(f"looking for {name}"):
        try:
            return engine.client.containers.get(name)
        except docker.errors.NotFound:
            return None


def _kind_config(record: Identity) -> str:
    """cluster/kind.yaml for this cluster, with as many workers as its profile has."""
    config = yaml.safe_load((paths.ROOT / "cluster" / "kind.yaml").read_text())
    config["name"] = record.cluster
    (first,) = config["nodes"]
    first["extraMounts"][0]["hostPath"] = str(record.folder)
    config["nodes"] += [{**first, "role": "worker"}] * identity.PROFILES[record.profile]
    # A lone node is opened to pods by kind itself, which fails where there is nothing to open.
    if len(config["nodes"]) > 1:
        config["kubeadmConfigPatches"].append(yaml.safe_dump(OPEN_TO_PODS))
    return yaml.safe_dump(config)


def _create(engine: Engine, record: Identity) -> Identity:
    record = record.noted(ca="", kube_system="", proved=False)
    config = identity.home() / "kind.yaml"
    config.write_text(_kind_config(record))
    image = catalogue.image("node").reference
    argv: list[str | Path] = [tools.kind(), "create", "cluster", "--config", config, "--image", image]
    argv += ["--kubeconfig", identity.kubeconfig()]
    env = {**engine.environment(), **_proxies(record), "KIND_EXPERIMENTAL_DOCKER_NETWORK": record.cluster}
    with step(f"creating cluster {record.cluster}") as line:
        proc.run(argv, env=env, on_line=line)
    identity.kubeconfig().chmod(0o600)
    ca, kube_system = cluster.proof(Cluster(engine, record))
    return record.noted(ca=ca, kube_system=kube_system)


def _furnish(record: Identity) -> None:
    """Put what the API server's pod and kubeadm read into the folder that the nodes mount; existing files stay as they are."""
    (record.folder / "kubeadm").mkdir(parents=True, exist_ok=True)
    for name in ("audit-policy.yaml", *(f"kubeadm/{file.name}" for file in (FOLDER / "kubeadm").iterdir())):
        if not (record.folder / name).exists():
            shutil.copy(FOLDER / name, record.folder / name)


def _proxies(record: Identity) -> dict[str, str]:
    """The proxy variables from which kind makes the environment of nodes and containerd: kind adds nodes, pods and Services, no registry.

    A proxy on this machine's loopback is unset (empty, for kind): a node has another loopback, and would find nothing there.
    """
    mine = dict.fromkeys(environment.proxies(), "")
    names = (local_registry.name(record), f"{record.cluster}-private", *record.nodes)
    return {**mine, **environment.proxies(*names, away=True), "PATH": tools.path()}
