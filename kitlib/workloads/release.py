"""From a source edit to the new version serving: build on this machine, one layer into the registry, one rolling update.

Nothing is built twice and nothing is copied twice: Go's build cache has every package but the edited ones, the registry has every
layer but the program's, and the node has them too.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.engine import ocilayer
from kitlib.engine.ocilayer import Repository
from kitlib.errors import BuildFailed, WaitTimeout
from kitlib.host import proc, tools
from kitlib.kube.client import Object
from kitlib.supply import images
from kitlib.workloads import app, rollout

REPOSITORY = "goapp-release"
BASE = "static"
PROGRAM = "usr/local/bin/catalog"
VERSION = "kit.local/goapp/internal/version.number"
TAGS = "grpcnotrace"  # or gRPC brings html/template, for which the linker keeps every method: 3.5 MB more


@dataclass(frozen=True)
class Release:
    """The version that serves now, and the time it took: seconds to compile, to publish and to roll out."""

    image: str
    version: str
    build: float
    publish: float
    rollout: float


def release(
    namespace: Namespace,
    name: str,
    source: Path = app.SOURCE,
    *,
    treatments: Sequence[str] | None = None,
    seconds: float = 120,
) -> Release:
    """Build goapp's source, give its Deployment the image, and return when Service `name` leads to nothing but the new version.

    treatments: make the Deployment and its Service with these treatments if they are missing; None: they exist.
    Raises BuildFailed with the compiler's lines, WaitTimeout with what the pods say.
    """
    began = time.monotonic()
    with TemporaryDirectory() as tmp:
        version = fingerprint(source)
        program = build(source, Path(tmp) / "catalog", version)
        built = time.monotonic()
        image = publish(namespace.cluster, program, version)
    published = time.monotonic()
    if treatments is not None and namespace.cluster.kube.get("Deployment", name, namespace.name) is None:
        namespace.apply(*app.manifests(name, image, treatments=treatments))
    else:
        rollout.set_image(namespace, name, image)
    app.roll_out(namespace, name, seconds)
    _serves(namespace, name, image, seconds)
    return Release(image, version, built - began, published - built, time.monotonic() - published)


def fingerprint(source: Path) -> str:
    """Twelve hex digits over every file that can decide the program: the version of an edit that has no number yet."""
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*")):
        if file.is_file() and not _no_matter(file.relative_to(source)):
            digest.update(f"{file.relative_to(source)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _no_matter(path: Path) -> bool:
    """Files that cannot change the program: tests, texts for people, and outputs of builds."""
    return path.name.endswith(("_test.go", ".md")) or path.parts[0] in ("bin", ".git")


def build(source: Path, to: Path, version: str) -> Path:
    """Compile goapp for the cluster with the kit's Go, as cluster/images/goapp-distroless does; returns `to`."""
    flags = ["-trimpath", "-tags", TAGS, "-ldflags", f"-s -w -X {VERSION}={version}"]
    env = {**tools.go_env(), "CGO_ENABLED": "0", "GOOS": "linux"}
    proc.run([tools.go(), "build", *flags, "-o", to, "./cmd/catalog"], cwd=source, env=env, error=BuildFailed)
    return to


def publish(cluster: Cluster, program: Path, version: str) -> str:
    """Put a program on the `static` base into the cluster's registry; returns the reference for a manifest."""
    base_tag = cluster.image(BASE).rpartition(":")[2]
    change = {
        "Entrypoint": [f"/{PROGRAM}"],
        "ExposedPorts": {f"{app.PORT}/tcp": {}},
        "Labels": _labels(version),
    }
    with requests.Session() as session:
        session.trust_env = False  # the registry is on this machine
        base, into = (Repository(cluster.registry, name, session) for name in (BASE, REPOSITORY))
        ocilayer.put(into, version, base, base_tag, ocilayer.tar(program, PROGRAM), change)
    return f"{images.PREFIX}/{REPOSITORY}:{version}"


def _labels(version: str) -> dict[str, str]:
    return {
        images.LABEL: REPOSITORY,
        "org.opencontainers.image.title": "goapp",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.base.name": images.image(BASE).reference,
    }


def _serves(namespace: Namespace, name: str, image: str, seconds: float) -> None:
    """Return when every ready endpoint of the Service is a pod of this image, which is what kube-proxy follows."""
    labels = f"kubernetes.io/service-name={name}"
    slices: dict[str, Object] = {}
    for change, found in namespace.cluster.kube.watch("EndpointSlice", namespace.name, labels=labels, seconds=seconds):
        slices[found["metadata"]["name"]] = {} if change == "DELETED" else found
        ready = {pod for s in slices.values() for pod in _ready(s)}
        if ready and ready <= {p["metadata"]["name"] for p in app.pods(namespace, name) if _image(p) == image}:
            return
    raise WaitTimeout(f"Service/{name} does not lead to {image} after {seconds:.0f} s", hint="./kit status")


def _ready(endpoints: Object) -> list[str]:
    found = endpoints.get("endpoints") or []
    return [e["targetRef"]["name"] for e in found if e["conditions"].get("ready")]


def _image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["image"])
