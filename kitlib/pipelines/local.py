"""The pipeline's steps, run here: against the private registry, this machine's engine and the kit's cluster."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from kitlib import paths
from kitlib.cluster.bound import Namespace
from kitlib.engine.client import Engine
from kitlib.errors import CommandFailed
from kitlib.host import buildcontext, console, environment, identity, proc, tools
from kitlib.kube import kustomize
from kitlib.pipelines import STEPS
from kitlib.private_registry import Private, client, files, pulls
from kitlib.supply import builder
from kitlib.views import timeline
from kitlib.views.chart import Lane, Span
from kitlib.views.timeline import Timeline
from kitlib.workloads import app

NAME = "goapp"
DOCKERFILE = Path("cluster/images/goapp-distroless/Dockerfile")
NAMES = tuple(step.name for step in STEPS)
EDITED = "goapp/internal/version/change.go"
LINES = 30  # of a step that failed


@dataclass(frozen=True)
class Ran:
    """One step: seconds from the commit to its start and its end, what it printed, and whether it ended well."""

    step: str
    start: float
    end: float
    output: str
    passed: bool


def prepare(private: Private, namespace: Namespace) -> None:
    """The environment that a pipeline expects: goapp runs in the namespace, and every pod there may pull from the private registry."""
    pulls.trust(private)
    namespace.apply(pulls.secret(private))
    secrets = {"imagePullSecrets": [{"name": pulls.SECRET}]}
    namespace.cluster.kube.patch("ServiceAccount", "default", namespace.name, secrets)
    namespace.apply(*app.manifests(NAME, namespace.cluster.image("goapp-distroless")))
    app.roll_out(namespace, NAME)


@contextmanager
def commit() -> Iterator[tuple[Path, str]]:
    """A checkout with a change that no build has seen, and its version; both are gone after the block."""
    version = f"kit-{uuid.uuid4().hex[:12]}"
    with TemporaryDirectory(prefix="kit-commit-") as folder:
        root = Path(folder)
        shutil.copytree(paths.ROOT / "goapp", root / "goapp")
        (root / DOCKERFILE).parent.mkdir(parents=True)
        shutil.copy(paths.ROOT / DOCKERFILE, root / DOCKERFILE)
        (root / EDITED).write_text(f'package version\n\n// Change names this commit.\nconst Change = "{version}"\n')
        yield buildcontext.level(root), version


def run(private: Private, namespace: Namespace) -> list[Ran]:
    """Commit a change, and run one step after the other, until the new version serves, or a step fails: nothing comes after that.

    What a step said that failed is shown at once.
    """
    engine = private.cluster.engine
    bases = {
        arg: builder.ensure(engine, [name])[name] for arg, name in {"GOLANG": "golang", "STATIC": "static"}.items()
    }
    with commit() as (root, version), _docker(private) as config, _removed(engine, private, version):
        env = {
            **tools.go_env(),
            **bases,
            **engine.environment(),
            "DOCKER_CONFIG": str(config),
            "KUBECONFIG": str(identity.kubeconfig()),
            "KUBERC": "off",
            "PATH": _path(),
            "REGISTRY": private.address,
            "PULL_FROM": files.HOST,
            "NAMESPACE": namespace.name,
            "VERSION": version,
            "REGISTRY_USER": files.USER,
            "REGISTRY_PASSWORD": private.password,
        }
        began, ran = time.monotonic(), []
        for step in STEPS:
            start = time.monotonic() - began
            try:
                output, passed = proc.transcript(["sh", "-euc", step.run], cwd=root, env=env, group=True), True
            except CommandFailed as e:
                output, passed = e.output, False
            ran.append(Ran(step.name, start, time.monotonic() - began, output, passed))
            if not passed:
                console.say("\n".join([f"✗ {step.name}", *output.splitlines()[-LINES:]]))
                break
    return ran


def values(ran: Sequence[Ran]) -> dict[str, float]:
    """As metrics: seconds a step; `seconds` from the commit to the end of the last step; `works`: the new version answered there."""
    return {
        "seconds": ran[-1].end,
        **{step.step: step.end - step.start for step in ran},
        "works": float(all(step.passed for step in ran)),
    }


def draw(ran: Sequence[Ran]) -> Timeline:
    """The steps on one axis of time."""
    lanes = [Lane(step.step, (Span(step.start, step.end, f"{step.end - step.start:.1f} s"),)) for step in ran]
    return timeline.draw("from the commit to the version that serves", lanes)


def table(ran: Sequence[Ran]) -> pd.DataFrame:
    """One row per step: its seconds, how it ended, and the last line that it printed."""
    rows = [
        (s.step, round(s.end - s.start, 2), "✓" if s.passed else "✗", (s.output.strip().splitlines() or [""])[-1][:90])
        for s in ran
    ]
    return pd.DataFrame(rows, columns=["step", "seconds", "", "its last line"])


@contextmanager
def _docker(private: Private) -> Iterator[Path]:
    """A DOCKER_CONFIG that has buildx, and no login yet."""
    with client.fresh(private) as here:
        plugin = here.config / "cli-plugins" / "docker-buildx"
        plugin.parent.mkdir()
        plugin.symlink_to(tools.buildx())
        yield here.config


@contextmanager
def _removed(engine: Engine, private: Private, version: str) -> Iterator[None]:
    """The names that the steps give to an image are taken away after the block, and the image with the last of them."""
    try:
        yield
    finally:
        for name in (f"goapp:{version}", f"{private.address}/goapp:{version}"):
            if engine.inspect(name):
                engine.remove(name)


def _path() -> str:
    """Go, docker and kubectl of the kit's before those of the machine."""
    ours = (tools.goroot() / "bin", tools.docker().parent, kustomize.KUBECTL.parent)
    return environment.on_path(*ours)
