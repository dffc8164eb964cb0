"""Row 8: from nothing but images to a cluster with a registry in which something runs.

ours: `./kit up` in a checkout without a cluster.  It ends when a pod, whose image came through the registry, has resolved a name and
written to a claim.  peer: kind's own recipe for a cluster with a local registry (kind.sigs.k8s.io, "Local Registry"), then goapp: push,
apply, rollout status.  It ends when goapp's readiness probe has been answered.  Both have the same node image; taking the clusters away
is not timed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from bench.rows.common import KUBECTL, PYTHON, docker, kind, run, seconds
from kitlib.dev.bench import Group, Row, Values
from kitlib.supply import images
from kitlib.workloads import app

PORT = "5000/tcp"


@contextmanager
def group() -> Iterator[Group]:
    yield Group(
        arms={"ours": _kit, "kind": _kind},
        rows=[
            Row(
                "8",
                "a cluster with a registry and a pod that works, images in place",
                "kind create cluster --wait + registry + push, apply and rollout status of goapp",
                "seconds",
                "s",
                1.0,
                peers=("kind",),
            )
        ],
        warm=0,
    )


def _kit() -> Values:
    with TemporaryDirectory() as home, ExitStack() as undo:
        other = {"KIT_HOME": home, "KIT_CLUSTER": f"kit-bench-{secrets.token_hex(2)}"}
        undo.callback(lambda: run(PYTHON, "-m", "kitlib", "down", **other))
        return {"seconds": seconds(lambda: run(PYTHON, "-m", "kitlib", "up", **other))}


def _kind() -> Values:
    with TemporaryDirectory() as tmp, ExitStack() as undo:
        trial = _Kind(Path(tmp), f"bench-kind-{secrets.token_hex(2)}")
        undo.callback(trial.remove)
        return {"seconds": seconds(trial.start)}


class _Kind:
    """One cluster of the other side.  It has a network of its own, as the kit's, so that everything of it can be removed."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.node, self.registry = f"{name}-control-plane", f"{name}-registry"
        self.kubeconfig = folder / "kubeconfig"

    def start(self) -> None:
        self._create()
        at = self._run_registry()
        self._tell_node(at)
        self._deploy(at)

    def remove(self) -> None:
        kind("delete", "cluster", "--name", self.name, "--kubeconfig", str(self.kubeconfig))
        docker("rm", "--force", "--volumes", self.registry)
        docker("network", "rm", "--force", self.name)

    def _create(self) -> None:
        config = self.folder / "kind.yaml"
        needed = "kind: KubeletConfiguration\nfailCgroupV1: false\n"  # or no kubelet starts on a machine with cgroup v1
        config.write_text(
            json.dumps({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "kubeadmConfigPatches": [needed]})
        )
        words = ["--name", self.name, "--image", images.image("node").reference, "--config", str(config)]
        words += ["--kubeconfig", str(self.kubeconfig), "--wait", "120s"]
        kind("create", "cluster", *words, KIND_EXPERIMENTAL_DOCKER_NETWORK=self.name)

    def _run_registry(self) -> str:
        """Returns 127.0.0.1:PORT."""
        publish = ["--publish", "127.0.0.1::5000"]
        docker("run", "--detach", "--name", self.registry, *publish, images.image("registry").reference)
        docker("network", "connect", self.name, self.registry)
        return docker("port", self.registry, PORT).strip()

    def _tell_node(self, at: str) -> None:
        folder = f"/etc/containerd/certs.d/{at}"
        script = f"mkdir -p {folder} && printf '[host.\"http://{self.registry}:5000\"]\\n' > {folder}/hosts.toml"
        docker("exec", self.node, "sh", "-c", script)

    def _deploy(self, at: str) -> None:
        reference = f"{at}/goapp:bench"
        docker("tag", images.image("goapp-distroless").reference, reference)
        docker("push", "--quiet", reference)
        docker("image", "rm", reference)
        manifests = self.folder / "goapp.yaml"
        manifests.write_text(yaml.safe_dump_all(app.manifests("goapp", reference)))
        where = ["--kubeconfig", str(self.kubeconfig)]
        run(KUBECTL, "apply", "-f", manifests, *where)
        run(KUBECTL, "rollout", "status", "deployment/goapp", *where)
