"""From a source edit to the new version serving: build on this machine, one layer into the registry, one rolling update.

Nothing is built twice and nothing is copied twice: Go's build cache has every package but the edited ones, the registry has every
layer but the program's, and the node has them too.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from kitlib import app, images, ocilayer, paths, proc, rollout, tools
from kitlib.cluster import Cluster, Space
from kitlib.errors import BuildFailed, WaitTimeout
from kitlib.kube import Object
from kitlib.ocilayer import Repository

SOURCE = paths.ROOT / "goapp"
REPOSITORY = "goapp-release"
BASE = "static"
PROGRAM = "usr/local/bin/catalog"
VERSION = "kit.local/goapp/internal/version.number"
TAGS = "grpcnotrace"  # or gRPC brings html/template, for which the linker keeps every method: 3.5 MB more


@dataclass(frozen=True)
class Release:
    """What serves now, and where the time went: seconds to compile, to publish and to roll out."""

    image: str
    version: str
    build: float
    publish: float
    rollout: float


def release(space: Space, name: str, source: Path = SOURCE, *, seconds: float = 120) -> Release:
    """Build goapp's source, give its Deployment the image, and return when Service `name` leads to nothing but the new version.

    Raises BuildFailed with the compiler's lines, WaitTimeout with what the pods say.
    """
    began = time.monotonic()
    with TemporaryDirectory() as tmp:
        version = fingerprint(source)
        program = build(source, Path(tmp) / "catalog", version)
        built = time.monotonic()
        image = publish(space.cluster, program, version)
    published = time.monotonic()
    rollout.set_image(space, name, image)
    app.roll_out(space, name, seconds)
    _serves(space, name, image, seconds)
    return Release(image, version, built - began, published - built, time.monotonic() - published)


def fingerprint(source: Path) -> str:
    """Twelve hex digits over every file that can decide the program: the version of an edit that has no number yet."""
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*")):
        if file.is_file() and not _no_matter(file.relative_to(source)):
            digest.update(f"{file.relative_to(source)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _no_matter(path: Path) -> bool:
    """Tests, texts for people, and what a build leaves behind."""
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


def _serves(space: Space, name: str, image: str, seconds: float) -> None:
    """Return when every ready endpoint of the Service is a pod of this image: what kube-proxy goes by."""
    labels = f"kubernetes.io/service-name={name}"
    slices: dict[str, Object] = {}
    for change, found in space.cluster.kube.watch("EndpointSlice", space.name, labels=labels, seconds=seconds):
        slices[found["metadata"]["name"]] = {} if change == "DELETED" else found
        ready = {pod for s in slices.values() for pod in _ready(s)}
        if ready and ready <= {p["metadata"]["name"] for p in app.pods(space, name) if _image(p) == image}:
            return
    raise WaitTimeout(f"Service/{name} does not lead to {image} after {seconds:.0f} s", hint="./kit status")


def _ready(endpoints: Object) -> list[str]:
    found = endpoints.get("endpoints") or []
    return [e["targetRef"]["name"] for e in found if e["conditions"].get("ready")]


def _image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["image"])
