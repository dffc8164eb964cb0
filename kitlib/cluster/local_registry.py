"""The cluster's registry: a container on loopback for the engine to push to, and on the node's network for the node to pull from."""

from __future__ import annotations

from typing import Any

import docker.errors
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError
from kitlib.host.identity import LABEL, Identity, foreign
from kitlib.supply import images

PORT = "5000/tcp"
MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
INDEXES = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"


def name(record: Identity) -> str:
    """The name of the registry's container."""
    return f"{record.cluster}-registry"


def volume(record: Identity) -> str:
    """The name of the volume with the registry's images, which outlives the container."""
    return f"{name(record)}-{record.mark}"


def ensure(engine: Engine, record: Identity) -> str:
    """Start the registry; returns the address to push to, 127.0.0.1:PORT (the engine picks a free port)."""
    container = find(engine, record)
    with mapped("starting the registry"):
        if container is None:
            container = engine.client.containers.create(
                images.image("registry").reference,
                name=name(record),
                labels=record.labels,
                network=record.cluster,
                ports={PORT: ("127.0.0.1", None)},
                volumes={_kept(engine, record): {"bind": "/var/lib/registry"}},
                restart_policy={"Name": "unless-stopped"},
            )
        if container.status == "paused":
            container.unpause()
        container.start()
        return address(container)


def find(engine: Engine, record: Identity) -> Any:
    """The registry's container or None.  Raises NotOurs when another container has its name."""
    with mapped("looking for the registry"):
        try:
            container = engine.client.containers.get(name(record))
        except docker.errors.NotFound:
            return None
    if container.labels.get(LABEL) != record.mark:
        raise foreign("container", name(record))
    return container


def address(container: Any) -> str:
    """The address on loopback that the engine pushes to: 127.0.0.1:PORT.  Raises EngineError when the registry does not run."""
    container.reload()
    published = container.ports.get(PORT)
    if not published:
        raise EngineError("the registry does not run", hint="./kit up")
    return f"127.0.0.1:{published[0]['HostPort']}"


def publish(engine: Engine, at: str, image_name: str, *, reference: str | None = None, tag: str | None = None) -> str:
    """Push an image unless its tag is there; returns the name by which the node pulls it, as `published` does."""
    local = reference or images.image(image_name).reference
    tag = tag or _tag(local)
    if not has(at, image_name, tag):
        engine.push(local, f"{at}/{image_name}:{tag}")
    return published(image_name, tag)


def published(image_name: str, tag: str = "") -> str:
    """The name by which a node pulls what was published: kit.local/NAME:TAG.  tag: by default that of the engine's image."""
    return f"{images.PREFIX}/{image_name}:{tag or _tag(images.image(image_name).reference)}"


def _tag(reference: str) -> str:
    return reference.rpartition(":")[2]


def has(at: str, image_name: str, tag: str) -> bool:
    """Whether the registry has this image under this tag."""
    answer = _manifest("HEAD", at, image_name, tag)
    return answer.status_code == requests.codes.ok


def compressed_size(at: str, image_name: str, tag: str) -> int:
    """Bytes of all compressed layers, as a pull transfers them.  Raises EngineError when the tag is not there."""
    answer = _found(_manifest("GET", at, image_name, tag), image_name, tag)
    return sum(int(layer["size"]) for layer in answer.json()["layers"])


def digest(at: str, image_name: str, tag: str) -> str:
    """The digest of what the tag names, an image or an index of images.  Raises EngineError when the tag is not there."""
    return str(_found(_manifest("HEAD", at, image_name, tag), image_name, tag).headers["Docker-Content-Digest"])


def index(at: str, image_name: str, tag: str) -> list[dict[str, Any]]:
    """The entries of an index, as the registry has them.  Raises EngineError when the tag is not there."""
    return list(_found(_manifest("GET", at, image_name, tag), image_name, tag).json()["manifests"])


def _found(answer: requests.Response, image_name: str, tag: str) -> requests.Response:
    if not answer.ok:
        raise EngineError(f"the registry has no {image_name}:{tag}", hint="push it first: cluster.image(name)")
    return answer


def _manifest(method: str, at: str, image_name: str, tag: str) -> requests.Response:
    """Repeated for some seconds: the engine accepts connections for a registry that has only just been started, and drops them."""
    with requests.Session() as session, mapped("asking the registry"):
        session.trust_env = False  # it is on this machine: no proxy, and no password of ~/.netrc
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=8, backoff_factor=0.1)))
        url = f"http://{at}/v2/{image_name}/manifests/{tag}"
        return session.request(method, url, headers={"Accept": f"{MANIFESTS}, {INDEXES}"}, timeout=10)


def _kept(engine: Engine, record: Identity) -> str:
    return str(engine.client.volumes.create(volume(record), labels=record.labels).name)
