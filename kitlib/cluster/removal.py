"""Removing what the kit made, and reporting what stays: a cluster, a checkout's images, the engine that the kit started."""

from __future__ import annotations

from typing import Any

from kitlib.cluster import nodes, placement
from kitlib.engine import daemon
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.host import identity
from kitlib.host.console import say, step
from kitlib.host.identity import LABEL, Identity
from kitlib.supply import builder, images


def cluster(engine: Engine, record: Identity) -> None:
    """Remove everything that carries the cluster's mark: containers, volumes, networks and what chapters built."""
    with mapped("removing the cluster"):
        for container in placement.containers(engine, record):
            if container.status == "paused":
                container.unpause()  # what is paused cannot be killed on cgroup v1
            if container.status in ("running", "paused") and container.name in record.nodes:
                nodes.thaw(engine, container.name)
            container.remove(force=True, v=True)
        for volume in engine.client.volumes.list(filters={"label": f"{LABEL}={record.mark}"}):
            volume.remove()
        for network in engine.client.networks.list(filters={"label": f"{LABEL}={record.mark}"}):
            _empty(network)
            network.remove()
    for line in builder.remove(engine, f"{LABEL}={record.mark}"):
        say(f"left: {line}")


def checkouts_images(engine: Engine) -> None:
    """Remove the images of this checkout, and the build cache if the engine is the kit's own and has no image left."""
    with step("removing the images of this checkout"):
        left = builder.remove(engine, f"{images.CHECKOUT}={identity.checkout()}")
    for line in left:
        say(f"left: {line}")
    with mapped("looking for what is left"), daemon.alone() as alone:
        rest = engine.client.images.list(all=True)
        if alone and not rest and _is_own(engine):
            engine.client.api.prune_builds(all=True)
            return
    say(
        f"left: {len(rest)} images that this checkout did not make or that are in use, and the build cache, which cannot be separated from "
        "that of other projects on this engine; `docker builder prune` removes it, for all of them"
    )


def idle_engine(engine: Engine) -> None:
    """Stop the engine when the kit started it on this machine, it has no container at all, and no other command works with it."""
    with mapped("asking what still runs"):
        if not _is_own(engine):
            return
        with daemon.alone() as alone:
            if engine.client.containers.list(all=True):
                return
            if alone:
                daemon.stop()
            else:
                say("the container engine goes on: another command of the kit, or a notebook, works with it")


def _is_own(engine: Engine) -> bool:
    """Whether this is the engine that the kit starts on this machine: one that another machine's kit started also has the label."""
    return engine.ours and engine.id == daemon.identity()


def _empty(network: Any) -> None:
    """Disconnect containers that are not the cluster's from its network; they keep running."""
    network.reload()
    for about in network.attrs["Containers"].values():
        say(f"{about['Name']} was on the cluster's network, which is removed")
        network.disconnect(about["Name"], force=True)
