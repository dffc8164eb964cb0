"""One file on top of a base image, written straight into a registry: an image without an engine, a Dockerfile or a copy of the base.

What goes over the wire is the new layer (not compressed: over loopback that costs more time than it saves), a configuration and a
manifest; layers of the base are mounted from its repository (OCI distribution spec, "Mounting a blob from another repository").
The same file gives the same digests.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from kitlib.errors import EngineError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
AS_OCI = {"application/vnd.docker.image.rootfs.diff.tar.gzip": f"{LAYER}+gzip"}
SECONDS = 30


@dataclass(frozen=True)
class Repository:
    """A repository of a registry that speaks plain HTTP, as the cluster's does on loopback.  at: HOST:PORT."""

    at: str
    name: str
    session: requests.Session

    def manifest(self, tag: str) -> dict[str, Any]:
        """The manifest of a tag, in OCI's or Docker's format.  Raises EngineError."""
        accept = {"Accept": f"{MANIFEST}, {DOCKER_MANIFEST}"}
        found: dict[str, Any] = self._ask("GET", f"manifests/{tag}", headers=accept).json()
        return found

    def blob(self, digest: str) -> bytes:
        """The bytes of a blob.  Raises EngineError."""
        return self._ask("GET", f"blobs/{digest}").content

    def put(self, content: bytes) -> dict[str, Any]:
        """Upload a blob unless it is there; returns digest and size."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if not self._has(digest):
            where = self._ask("POST", "blobs/uploads/").headers["Location"]
            self._ask("PUT", where, params={"digest": digest}, data=content)
        return {"digest": digest, "size": len(content)}

    def mount(self, digest: str, source: Repository) -> None:
        """Mount a blob of another repository into this one, without moving it."""
        if not self._has(digest):
            self._ask("POST", "blobs/uploads/", params={"mount": digest, "from": source.name})

    def tag(self, manifest: Mapping[str, Any], tag: str) -> None:
        """Upload a manifest under a tag; an older manifest of that tag is replaced.  Raises EngineError."""
        headers = {"Content-Type": MANIFEST}
        self._ask("PUT", f"manifests/{tag}", data=json.dumps(manifest, sort_keys=True), headers=headers)

    def _has(self, digest: str) -> bool:
        answer = self.session.head(self._url(f"blobs/{digest}"), timeout=SECONDS)
        return answer.status_code == requests.codes.ok

    def _ask(self, method: str, path: str, **words: Any) -> requests.Response:
        doing = f"{method} {self.name}/{path.partition('?')[0]}"
        try:
            answer = self.session.request(method, self._url(path), timeout=SECONDS, **words)
        except requests.RequestException as e:
            raise EngineError(f"{doing}: the registry does not answer ({e})", hint="./kit up") from e
        if not answer.ok:
            raise EngineError(
                f"{doing}: the registry says {answer.status_code} {answer.text[:200]}", hint="./kit status"
            )
        return answer

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else f"http://{self.at}/v2/{self.name}/{path}"


def put(into: Repository, tag: str, base: Repository, base_tag: str, layer: bytes, change: Mapping[str, Any]) -> None:
    """Make into:tag from base:base_tag and one layer (a tar); change: what differs in the configuration's `config`."""
    below = base.manifest(base_tag)
    for old in below["layers"]:
        into.mount(old["digest"], base)
    top = {"mediaType": LAYER, **into.put(layer)}
    config = configuration(json.loads(base.blob(below["config"]["digest"])), top["digest"], change)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, **into.put(json.dumps(config, sort_keys=True).encode())},
        "layers": [*({**o, "mediaType": AS_OCI.get(o["mediaType"], o["mediaType"])} for o in below["layers"]), top],
    }
    into.tag(manifest, tag)


def tar(file: Path, name: str) -> bytes:
    """A layer with one program, owned by root and without a time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive, file.open("rb") as content:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = file.stat().st_size, 0o755
        archive.addfile(entry, content)
    return out.getvalue()


def configuration(base: Mapping[str, Any], diff_id: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """history and rootfs go on from the base's; a layer that is not compressed has its digest as its diff id."""
    return {
        **{key: base[key] for key in ("architecture", "os") if key in base},
        "config": {**base.get("config", {}), **change},
        "rootfs": {"type": "layers", "diff_ids": [*base["rootfs"]["diff_ids"], diff_id]},
        "history": [*base.get("history", []), {"created_by": "kit release"}],
    }
