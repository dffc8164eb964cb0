"""The cluster's registry: a container on loopback for the engine to push to, and on the node's network for the node to pull from."""

from __future__ import annotations

from typing import Any

import docker.errors
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from kitlib import images
from kitlib.engine import Engine, mapped
from kitlib.errors import EngineError
from kitlib.owner import LABEL, Owner, foreign

PORT = "5000/tcp"
MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
INDEXES = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"


def name(owner: Owner) -> str:
    return f"{owner.cluster}-registry"


def ensure(engine: Engine, owner: Owner) -> str:
    """Make the registry run; returns the address to push to, 127.0.0.1:PORT (the engine picks a free port)."""
    container = find(engine, owner)
    with mapped("starting the registry"):
        if container is None:
            container = engine.client.containers.create(
                images.image("registry").reference,
                name=name(owner),
                labels=owner.labels,
                network=owner.cluster,
                ports={PORT: ("127.0.0.1", None)},
                volumes={_volume(engine, owner): {"bind": "/var/lib/registry"}},
                restart_policy={"Name": "unless-stopped"},
            )
        container.start()
        return address(container)


def find(engine: Engine, owner: Owner) -> Any:
    """The registry's container or None.  Raises NotOurs when another container has its name."""
    with mapped("looking for the registry"):
        try:
            container = engine.client.containers.get(name(owner))
        except docker.errors.NotFound:
            return None
    if container.labels.get(LABEL) != owner.mark:
        raise foreign("container", name(owner))
    return container


def address(container: Any) -> str:
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
    """Asked again for some seconds: the engine accepts connections for a registry that has only just been started, and drops them."""
    with requests.Session() as session, mapped("asking the registry"):
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=8, backoff_factor=0.1)))
        url = f"http://{at}/v2/{image_name}/manifests/{tag}"
        return session.request(method, url, headers={"Accept": f"{MANIFESTS}, {INDEXES}"}, timeout=10)


def _volume(engine: Engine, owner: Owner) -> str:
    volume = engine.client.volumes.create(f"{name(owner)}-{owner.mark}", labels=owner.labels)
    return str(volume.name)
