"""The private registry's files: its configuration, and what its clients keep."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from kitlib.masking import redact

USER = "kit"
HOST = "private.kit.local"  # how images are called on the nodes, whatever the container's name
INSIDE = "/etc/private"  # where the container has its files
CONFIG = f"{INSIDE}/config.yml"
DATA = "/var/lib/registry"
HTPASSWD = {"htpasswd": {"realm": "kit", "path": f"{INSIDE}/htpasswd"}}


def configuration(auth: Mapping[str, Any]) -> str:
    """distribution's configuration file (https://distribution.github.io/distribution/about/configuration/).

    No cache of blobs: after a garbage collection it would say that blobs are there which are gone.
    """
    return yaml.safe_dump(
        {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": DATA}, "delete": {"enabled": True}},
            "http": {
                "addr": ":5000",
                "tls": {"certificate": f"{INSIDE}/tls.crt", "key": f"{INSIDE}/tls.key"},
            },
            "auth": dict(auth),
        },
        sort_keys=False,
    )


def login_json(password: str, *hosts: str) -> str:
    """The content of config.json after `docker login`, and of a Secret for pulls: user and password in base64."""
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    redact.register(auth)
    return json.dumps({"auths": {host: {"auth": auth} for host in hosts}})


def write(file: Path, text: str) -> None:
    """Write a new file that only its owner can read, from the first byte on."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)


def tar(files: Mapping[str, bytes]) -> bytes:
    """A tar with these files (name → content) below INSIDE, readable by their owner only."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{INSIDE.lstrip('/')}/{name}")
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
