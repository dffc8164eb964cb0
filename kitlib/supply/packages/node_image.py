"""kindest/node from Go modules: a base image by Dockerfile, then the control plane's images loaded into its containerd.

kind expects in a node image: systemd as the entrypoint's child, /kind/version, manifests under /kind/manifests, and the images that
`kubeadm config images list` names already in containerd's k8s.io namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import BuildFailed
from kitlib.host import proc, tools
from kitlib.host.console import step

TARGETS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "coredns",
    "etcd",
    "pause",
    "local-path",
)
CLASHING = ("etcd", "coredns", "pause")  # a build context must not be called like a stage of the Dockerfile
CTR = ("ctr", "-n", "k8s.io")
ENTRYPOINT = 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]'


def make(
    engine: Engine, tag: str, recipe: Path, *, base: str, modules: tuple[str, ...], labels: Mapping[str, str]
) -> None:
    """Build a node image by the recipe in a folder; its parts get names beside the tag's.  Raises BuildFailed or EngineError."""
    prefix = tag.partition("/")[0]
    contexts = {f"{m}-module" if m in CLASHING else m: tools.build(m) for m in modules}
    references = _wanted(contexts["kubernetes"], prefix)
    args = {
        "DEBIAN": base,
        "KUBERNETES": f"v{tools.modules()['kubernetes'].version}",
        "PAUSE": references["pause"],
        "LOCAL_PATH": references["local-path"],
    }

    def build(target: str) -> str:
        name = f"{prefix}/node-{target}:build"
        engine.build(recipe, name, target=target, args=args, contexts=contexts, labels=labels, host_network=True)
        return name

    staged = {build(target): references[target] for target in TARGETS}
    node = build("node")
    with step(f"loading the control plane into {tag}"):
        _preload(engine, node, staged, tag)
    for name in [*staged, node]:
        engine.remove(name)
    tools.trim_build_cache()


def _wanted(kubernetes: Path, prefix: str) -> dict[str, str]:
    """Reference by target, exactly as this kubeadm will ask for it; and the storage provisioner's."""
    version = tools.modules()["kubernetes"].version
    listed = proc.run(
        [kubernetes / "kubeadm", "config", "images", "list", "--kubernetes-version", f"v{version}"]
    ).split()
    found = {t: r for r in listed for t in TARGETS if r.rpartition("/")[2].startswith(f"{t}:")}
    found["local-path"] = f"{prefix}/local-path:v{tools.modules()['local-path-provisioner'].version}"
    if missing := set(TARGETS) - found.keys():
        raise BuildFailed("kubeadm config images list", 0, f"no image for {', '.join(sorted(missing))} in {listed}")
    return found


def _preload(engine: Engine, node: str, staged: Mapping[str, str], tag: str) -> None:
    """Import images into the containerd of a container made from the node image, and commit that container."""
    with _containerd(engine, node) as container:
        _import(engine, container, list(staged))
        for built, wanted in staged.items():
            _ctr(container, "images", "tag", built, wanted)
            _ctr(container, "images", "rm", built)
        repository, _, version = tag.rpartition(":")
        with mapped(f"committing {tag}"):
            container.kill("SIGTERM")  # containerd is the container's first process, and closes its database on this
            container.wait()
            container.commit(repository=repository, tag=version, changes=[ENTRYPOINT, "CMD []"])


@contextmanager
def _containerd(engine: Engine, node: str) -> Iterator[Any]:
    """A container of the node image, with the labels of that image, in which containerd runs."""
    with mapped("starting a container of the node image"):
        container = engine.client.containers.run(
            node, entrypoint=["/usr/local/bin/containerd"], privileged=True, detach=True
        )
    try:
        for line in container.logs(stream=True, follow=True):
            if b"containerd successfully booted" in line:
                break
        else:
            raise BuildFailed("containerd", 1, container.logs().decode(errors="replace"))
        yield container
    finally:
        container.remove(force=True, v=True)


def _import(engine: Engine, container: Any, references: list[str]) -> None:
    """docker save | ctr import: a pipe between two processes, since the archive is larger than memory should hold."""
    save: list[str | Path] = [tools.docker(), "save", *references]
    load: list[str | Path] = [tools.docker(), "exec", "-i", "--privileged", container.id]
    load += [*CTR, "images", "import", "--all-platforms", "--no-unpack", "-"]
    proc.pipe(save, load, env=engine.environment(), error=BuildFailed)


def _ctr(container: Any, *words: str) -> None:
    argv = [*CTR, *words]
    with mapped("calling ctr in the node image"):
        code, output = container.exec_run(argv, privileged=True)
    if code != 0:
        raise BuildFailed(" ".join(argv), code, output.decode(errors="replace"))
