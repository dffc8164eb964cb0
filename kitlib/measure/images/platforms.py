"""One name for the programs of two machines: an index in the cluster's registry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.host import proc, tools
from kitlib.kube import wait
from kitlib.measure.images import users
from kitlib.supply import images
from kitlib.workloads import builds

PLATFORMS = ("linux/amd64", "linux/arm64")
TAG = "index"


def join(cluster: Cluster, made: str, references: Mapping[str, str]) -> str:
    """Push the images of some platforms and one index of them; returns its name for a manifest.  references: platform -> image.

    Docker's older image store cannot hold an index, so each image is built on its own and they are joined where they are pushed to.
    """
    at = f"{cluster.registry}/{made}"
    pushed = [f"{at}@{builds.publish(cluster, reference).rpartition('@')[2]}" for reference in references.values()]
    argv: list[str | Path] = [tools.buildx(), "imagetools", "create", "--tag", f"{at}:{TAG}", *pushed]
    proc.run(argv, env=cluster.engine.environment())
    return f"{images.PREFIX}/{made}@{local_registry.digest(cluster.registry, made, TAG)}"


def entries(cluster: Cluster, made: str, references: Mapping[str, str]) -> pd.DataFrame:
    """The index as the registry has it, one row per entry, and what happens when this machine starts that image."""
    rows = []
    for entry in local_registry.index(cluster.registry, made, TAG):
        name = f"{entry['platform']['os']}/{entry['platform']['architecture']}"
        ended = cluster.engine.run(references[name])
        said = ended.said
        rows.append({"platform": name, "digest": entry["digest"][:19], "started here": said})
    return pd.DataFrame(rows)


def on_node(namespace: Namespace, image: str) -> str:
    """The output of the image's program in a pod, which runs once."""
    kube = namespace.cluster.kube
    manifest = users.pod("non-root", image)
    manifest["spec"]["restartPolicy"] = "Never"
    (ref,) = namespace.apply(manifest)
    try:
        wait.until(kube, "Pod", ref.name, namespace.name, done=wait.phase("Succeeded"), what="done")
        return kube.logs(ref.name, namespace.name).strip()
    finally:
        kube.delete(ref)
        wait.until(kube, "Pod", ref.name, namespace.name, done=wait.gone, what="gone")
