"""Rows 1a and 1b: from a source edit to the new version answering through the Service.

Every arm has its own copy of goapp's source and its own Deployment from the same manifests.  An edit is a line of Go that changes
the version that goapp answers with.  The clock stops at the first answer of the new version, asked for in the same way for all.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rows.common import docker, forget_on_node, fresh_namespace, kind, kubectl
from kitlib import paths
from kitlib.cluster.bound import Namespace
from kitlib.dev.bench import Arm, Group, Row, Values
from kitlib.errors import UsageError, WaitTimeout
from kitlib.host import stats
from kitlib.kube import wait
from kitlib.supply import images
from kitlib.workloads import app, release

PREFIX = "bench.local/goapp"
EDITED = "internal/version/version.go"
BEFORE = "\treturn info\n}"
PATIENCE = 300.0  # seconds for an answer
HEADER = "X-Version"


@dataclass(frozen=True)
class Side:
    """One arm's copy of the source, and the Deployment and Service that serve what is built from it."""

    namespace: Namespace
    name: str
    source: Path

    def edit(self, version: str) -> None:
        """Make goapp call itself `version`, whatever the build says."""
        original = (paths.ROOT / "goapp" / EDITED).read_text()
        if original.count(BEFORE) != 1:
            raise UsageError(f"goapp/{EDITED} is not what the bench edits", hint="mend bench/rows/release.py")
        (self.source / EDITED).write_text(original.replace(BEFORE, f'\tinfo.Version = "{version}"\n{BEFORE}'))

    def answers(self, version: str) -> None:
        """Return with the first answer of this version through the Service.  Asking is the measurement: no pause between answers."""
        path = f"/api/v1/namespaces/{self.namespace.name}/services/{self.name}:80/proxy/health"
        connection, deadline = self.namespace.cluster.kube.connection, time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if connection.send("GET", path, seconds=5).headers.get(HEADER) == version:
                return
        raise WaitTimeout(f"{self.name} does not answer as {version}", hint="./kit status")


Way = Callable[[Side, str], Values]


@contextmanager
def group() -> Iterator[Group]:
    """Each arm has been through it once before a trial counts: caches, bases and the downloads of the go command are there."""
    against = "docker build {} cache mounts + kind load + set image + rollout status"
    what = "source edit → new version serving"
    ways = {"ours": _by_the_kit, "plain": _by_docker("goapp-guide-2.2"), "cached": _by_docker("goapp-distroless")}
    with fresh_namespace("release") as namespace, TemporaryDirectory() as tmp, _images() as fresh:
        yield Group(
            arms={name: _arm(_side(namespace, name, Path(tmp) / name), way, fresh) for name, way in ways.items()},
            rows=[
                Row("1a", what, against.format("without"), "seconds", "s", 0.15, peers=("plain",)),
                Row("1b", what, against.format("with"), "seconds", "s", 0.5, peers=("cached",)),
            ],
            notes=_where_time_goes,
        )


@contextmanager
def _images() -> Iterator[Callable[[], str]]:
    """A function that gives a new version each time; the images of all of them go at the end."""
    run = secrets.token_hex(3)
    made: list[str] = []

    def fresh() -> str:
        made.append(f"edit-{run}-{len(made)}")
        return made[-1]

    try:
        yield fresh
    finally:
        docker("image", "rm", "--force", *(f"{PREFIX}:{version}" for version in made))
        forget_on_node(PREFIX)


def _side(namespace: Namespace, name: str, source: Path) -> Side:
    """The arm's Deployment, with what is in the checkout as its first version."""
    shutil.copytree(paths.ROOT / "goapp", source)
    version = release.fingerprint(source)
    program = release.build(source, source / "bin" / "catalog", version)
    image = release.publish(namespace.cluster, program, version)
    # neither draining nor the wait for the first probe is under study: both are the same for every arm
    namespace.apply(*app.manifests(name, image, treatments=["quick-exit", "no-startup"]))
    app.roll_out(namespace, name, PATIENCE)
    return Side(namespace, name, source)


def _arm(side: Side, way: Way, fresh: Callable[[], str]) -> Arm:
    def trial() -> Values:
        version = fresh()
        side.edit(version)
        began = time.perf_counter()
        parts = way(side, version)
        side.answers(version)
        taken = time.perf_counter() - began
        _alone(side)
        return {**parts, "seconds": taken}

    return trial


def _by_the_kit(side: Side, _: str) -> Values:
    done = release.release(side.namespace, side.name, side.source)
    return {"build": done.build, "publish": done.publish, "rollout": done.rollout}


def _by_docker(recipe: str) -> Way:
    """What people do by hand on kind, with the Dockerfile of cluster/images/<recipe>."""
    it = images.image(recipe)

    def way(side: Side, version: str) -> Values:
        tag, times = f"{PREFIX}:{version}", [time.perf_counter()]
        bases = {arg: images.image(base).reference for arg, base in it.args.items()}
        args = [word for arg, reference in bases.items() for word in ("--build-arg", f"{arg}={reference}")]
        docker("build", "--quiet", "--tag", tag, "--file", it.folder / "Dockerfile", *args, side.source)
        times.append(time.perf_counter())
        kind("load", "docker-image", "--name", side.namespace.cluster.identity.cluster, tag)
        times.append(time.perf_counter())
        where = ["--namespace", side.namespace.name]
        kubectl("set", "image", f"deployment/{side.name}", f"{app.NAME}={tag}", *where)
        kubectl("rollout", "status", f"deployment/{side.name}", *where)
        times.append(time.perf_counter())
        return dict(zip(("build", "publish", "rollout"), (b - a for a, b in pairwise(times)), strict=True))

    return way


def _alone(side: Side) -> None:
    """Return when the old pod, which drains, is gone: it must not take part in the next trial."""
    kube = side.namespace.cluster.kube
    for pod in kube.list("Pod", side.namespace.name, labels=f"app.kubernetes.io/instance={side.name}"):
        if "deletionTimestamp" in pod["metadata"]:
            name = pod["metadata"]["name"]
            wait.until(kube, "Pod", name, side.namespace.name, done=wait.gone, what="gone", seconds=PATIENCE)


def _where_time_goes(trials: Mapping[str, list[Values]]) -> str:
    def split(of: list[Values]) -> str:
        return " + ".join(f"{stats.median([t[part] for t in of]):.1f}" for part in ("build", "publish", "rollout"))

    return f"1: build + to the node + rollout in s: {'; '.join(f'{name} {split(of)}' for name, of in trials.items())}."
