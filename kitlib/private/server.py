"""The registry's container: on loopback for clients of this machine, and on the cluster's network for its nodes."""

from __future__ import annotations

import secrets
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import docker.errors
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from kitlib import images, nodeexec, owner, redact, registry
from kitlib.cluster import Cluster
from kitlib.engine import mapped
from kitlib.errors import ClusterError, EngineError
from kitlib.owner import LABEL, foreign
from kitlib.pki import Authority
from kitlib.private.files import CONFIG, HTPASSWD, USER, configuration, tar, write


@dataclass(frozen=True)
class Private:
    """A private registry that runs.  address: 127.0.0.1:PORT, for clients here.  folder: the authority's certificate and the password."""

    cluster: Cluster
    container: Any
    folder: Path

    @property
    def address(self) -> str:
        return registry.address(self.container)

    @property
    def ca(self) -> Path:
        """The authority's certificate, which clients have to be given; it is public."""
        return self.folder / "ca.crt"

    @property
    def password(self) -> str:
        """Masked in every output from the first look on."""
        found = (self.folder / "password").read_text()
        redact.register(found)
        return found

    @property
    def config(self) -> str:
        """The registry's own configuration."""
        return configuration(HTPASSWD)

    def run(self, *argv: str) -> str:
        """A command in the registry's container; returns what it printed.  Raises ClusterError when it fails."""
        code, output = nodeexec.run(self.cluster.engine, self.container.name, argv)
        if code != 0:
            raise ClusterError(f"{' '.join(argv)} returned {code}", observed=output.decode().splitlines()[-5:])
        return output.decode()


def ensure(cluster: Cluster) -> Private:
    """Make the private registry run, with a password and an authority that nobody else has; one that runs is kept."""
    if found := find(cluster):
        return found
    remove(cluster)
    folder = _folder(cluster)
    folder.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    redact.register(password)
    authority = Authority()
    write(folder / "ca.crt", authority.certificate)
    write(folder / "password", password)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=5))  # distribution hashes at each request
    files = {"htpasswd": f"{USER}:".encode() + hashed + b"\n"}
    return Private(cluster, start(cluster, _name(cluster), authority, HTPASSWD, files), folder)


def find(cluster: Cluster) -> Private | None:
    """The private registry if it runs.  Raises NotOurs when another container has its name."""
    container, folder = _container(cluster, _name(cluster)), _folder(cluster)
    if container is None or container.status != "running" or not (folder / "password").exists():
        return None
    return Private(cluster, container, folder)


def remove(cluster: Cluster) -> None:
    """Take the registry away, with its images and its password."""
    _take_away(cluster, _name(cluster))
    shutil.rmtree(_folder(cluster), ignore_errors=True)


@contextmanager
def beside(
    cluster: Cluster, name: str, authority: Authority, auth: Mapping[str, Any], files: Mapping[str, bytes]
) -> Iterator[str]:
    """Another registry while the block runs, with another way to authenticate; its address."""
    called = f"{_name(cluster)}-{name}"
    _take_away(cluster, called)  # what an interrupted run has left
    try:
        yield registry.address(start(cluster, called, authority, auth, files))
    finally:
        _take_away(cluster, called)


def start(
    cluster: Cluster, name: str, authority: Authority, auth: Mapping[str, Any], files: Mapping[str, bytes]
) -> Any:
    """A registry's container, which answers.  auth: the section of its configuration; files: what that refers to, in /etc/private."""
    reference = images.ensure(cluster.engine, ["registry"])["registry"]
    certificate = authority.issue("127.0.0.1", "localhost", name)
    content = {**files, **certificate, "config.yml": configuration(auth).encode()}
    with mapped(f"starting {name}"):
        container = cluster.engine.client.containers.create(
            reference,
            ["serve", CONFIG],
            name=name,
            labels=cluster.owner.labels,
            network=cluster.owner.cluster,
            ports={registry.PORT: ("127.0.0.1", None)},
            environment={"OTEL_TRACES_EXPORTER": "none"},
        )
        container.put_archive("/", tar(content))
        container.start()
    _answers(registry.address(container))
    return container


def _answers(address: str) -> None:
    """Return when the registry speaks TLS; whom it lets in does not matter here, nor does the certificate."""
    retries = Retry(total=8, backoff_factor=0.1)
    with requests.Session() as session, mapped("asking the private registry"):
        session.trust_env = False
        session.mount("https://", HTTPAdapter(max_retries=retries))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = session.get(f"https://{address}/v2/", verify=False, timeout=10)
    if answer.status_code != requests.codes.unauthorized:
        raise EngineError(f"the private registry answers {answer.status_code} to a stranger, and not 401")


def _container(cluster: Cluster, name: str) -> Any:
    with mapped(f"looking for {name}"):
        try:
            container = cluster.engine.client.containers.get(name)
        except docker.errors.NotFound:
            return None
    if container.labels.get(LABEL) != cluster.owner.mark:
        raise foreign("container", name)
    return container


def _take_away(cluster: Cluster, name: str) -> None:
    if container := _container(cluster, name):
        with mapped(f"removing {name}"):
            container.remove(force=True, v=True)


def _name(cluster: Cluster) -> str:
    return f"{cluster.owner.cluster}-private"


def _folder(cluster: Cluster) -> Path:
    return owner.home(cluster.owner.cluster) / "private"
