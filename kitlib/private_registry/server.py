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

from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster
from kitlib.engine import commands
from kitlib.engine.errors import mapped
from kitlib.errors import ClusterError, EngineError
from kitlib.host import identity
from kitlib.host.identity import LABEL, foreign
from kitlib.masking import redact
from kitlib.private_registry.files import CONFIG, HTPASSWD, USER, configuration, tar, write
from kitlib.private_registry.pki import Authority
from kitlib.supply import builder


@dataclass(frozen=True)
class Private:
    """A private registry that runs.  address: 127.0.0.1:PORT, for clients here.  folder: the authority's certificate and the password."""

    cluster: Cluster
    container: Any
    folder: Path

    @property
    def address(self) -> str:
        """The address on loopback: 127.0.0.1:PORT.  Raises EngineError when the registry does not run."""
        return local_registry.address(self.container)

    @property
    def ca(self) -> Path:
        """The authority's certificate, which clients need; it is public."""
        return self.folder / "ca.crt"

    @property
    def password(self) -> str:
        """The user's password, masked in every output from the first access on."""
        found = (self.folder / "password").read_text()
        redact.register(found)
        return found

    @property
    def config(self) -> str:
        """The registry's own configuration."""
        return configuration(HTPASSWD)

    def run(self, *argv: str) -> str:
        """A command in the registry's container; returns its stdout.  Raises ClusterError when it fails."""
        ran = commands.run(self.cluster.engine, self.container.name, argv)
        if ran.code != 0:
            raise ClusterError(f"{' '.join(argv)} returned {ran.code}", observed=ran.text.splitlines()[-5:])
        return ran.data


def ensure(cluster: Cluster) -> Private:
    """Start the private registry, with a password and an authority of its own; a running one is kept."""
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
    """Remove the registry, with its images and its password."""
    _take_away(cluster, _name(cluster))
    shutil.rmtree(_folder(cluster), ignore_errors=True)


@contextmanager
def beside(
    cluster: Cluster, name: str, authority: Authority, auth: Mapping[str, Any], files: Mapping[str, bytes]
) -> Iterator[str]:
    """Another registry while the block runs, with another way to authenticate; its address."""
    called = f"{_name(cluster)}-{name}"
    _take_away(cluster, called)  # a container that an interrupted run left
    try:
        yield local_registry.address(start(cluster, called, authority, auth, files))
    finally:
        _take_away(cluster, called)


def start(
    cluster: Cluster, name: str, authority: Authority, auth: Mapping[str, Any], files: Mapping[str, bytes]
) -> Any:
    """Start a registry's container, and wait until it answers.  auth: a part of its configuration; files: for /etc/private."""
    reference = builder.ensure(cluster.engine, ["registry"])["registry"]
    certificate = authority.issue("127.0.0.1", "localhost", name)
    content = {**files, **certificate, "config.yml": configuration(auth).encode()}
    with mapped(f"starting {name}"):
        container = cluster.engine.client.containers.create(
            reference,
            ["serve", CONFIG],
            name=name,
            labels=cluster.identity.labels,
            network=cluster.identity.cluster,
            ports={local_registry.PORT: ("127.0.0.1", None)},
            environment={"OTEL_TRACES_EXPORTER": "none"},
        )
        container.put_archive("/", tar(content))
        container.start()
    _answers(local_registry.address(container))
    return container


def _answers(address: str) -> None:
    """Return when the registry speaks TLS; neither access nor the certificate is checked here."""
    retries = Retry(total=8, backoff_factor=0.1)
    with requests.Session() as session, mapped("asking the private registry"):
        session.trust_env = False
        session.mount("https://", HTTPAdapter(max_retries=retries))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = session.get(f"https://{address}/v2/", verify=False, timeout=10)
    if answer.status_code != requests.codes.unauthorized:
        raise EngineError(f"the private registry answers {answer.status_code} without credentials, and not 401")


def _container(cluster: Cluster, name: str) -> Any:
    with mapped(f"looking for {name}"):
        try:
            container = cluster.engine.client.containers.get(name)
        except docker.errors.NotFound:
            return None
    if container.labels.get(LABEL) != cluster.identity.mark:
        raise foreign("container", name)
    return container


def _take_away(cluster: Cluster, name: str) -> None:
    if container := _container(cluster, name):
        with mapped(f"removing {name}"):
            container.remove(force=True, v=True)


def container_name(cluster: str) -> str:
    """The name of the registry's container.  cluster: the name of the cluster that it is beside."""
    return f"{cluster}-private"


def _name(cluster: Cluster) -> str:
    return container_name(cluster.identity.cluster)


def _folder(cluster: Cluster) -> Path:
    return identity.home(cluster.identity.cluster) / "private"
