"""Two releases of goapp in the cluster's registry; they differ in the version that each answer has in the header X-Version."""

from __future__ import annotations

from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster
from kitlib.supply import builder, images

VARIANT = "goapp-distroless"
REPOSITORY = "goapp-version"
OLD, NEW = "1.0.0", "2.0.0"
NAMED = "catalog"  # the repository under the names that files use
TAGS = {"1.0": OLD, "2.0": NEW}  # of NAMED


def release(cluster: Cluster, version: str) -> str:
    """goapp built as this version, and published under a tag that is never moved; returns the reference for a manifest."""
    local = _built(cluster, version)
    return local_registry.publish(cluster.engine, cluster.registry, REPOSITORY, reference=local, tag=_tag(version))


def publish(cluster: Cluster) -> tuple[str, ...]:
    """Publish both releases as kit.local/catalog:1.0 and kit.local/catalog:2.0; returns these names.

    When goapp's source has changed since, the nodes forget the images that they have under these names.
    """
    return tuple(_name(cluster, tag, version) for tag, version in TAGS.items())


def _name(cluster: Cluster, tag: str, version: str) -> str:
    """Give a release the tag.  A node that has an image of that name would not pull it again (IfNotPresent)."""
    release(cluster, version)
    name = f"{images.PREFIX}/{NAMED}:{tag}"
    wanted = local_registry.digest(cluster.registry, REPOSITORY, _tag(version))
    known = local_registry.has(cluster.registry, NAMED, tag)
    if not known or local_registry.digest(cluster.registry, NAMED, tag) != wanted:
        cluster.engine.push(_built(cluster, version), f"{cluster.registry}/{NAMED}:{tag}")
        for node in cluster.nodes if known else ():
            cluster.on_node("ctr", "-n", "k8s.io", "images", "rm", name, check=False, node=node)
    return name


def _built(cluster: Cluster, version: str) -> str:
    """The engine's name of a release, which is built when it is missing."""
    local = f"{images.PREFIX}/{REPOSITORY}:{_tag(version)}"
    if cluster.engine.inspect(local) is None:
        bases = {arg: builder.ensure(cluster.engine, [base])[base] for arg, base in images.image(VARIANT).args.items()}
        builder.build(cluster.engine, VARIANT, local, args={**bases, "VERSION": version})
    return local


def _tag(version: str) -> str:
    return f"{version}-{images.inputs(VARIANT)}"
