"""Clients of the private registry, each with a DOCKER_CONFIG of its own: no user's ~/.docker is read or written.

crane pushes and pulls, because it checks the registry's certificate like any client of a real registry.  The engine does not: it takes
a registry on a loopback address without a look at its certificate, and one elsewhere only if root puts the authority's certificate
into /etc/docker/certs.d.  docker is asked for what the guide has it do: to log in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import RegistryRefused
from kitlib.host import environment, proc, tools
from kitlib.private_registry import keeper
from kitlib.private_registry.files import USER, login_json
from kitlib.private_registry.server import Private
from kitlib.supply import images

SECONDS = 120  # for one command, however slow the machine is


@dataclass(frozen=True)
class Client:
    """A folder with a config.json, and the trusted authorities.  path: folders with credential helpers."""

    config: Path
    ca: Path
    path: tuple[Path, ...] = ()

    def crane(self, *argv: str) -> str:
        """Run crane; what it printed.  Raises RegistryRefused with the registry's words."""
        return proc.run([_crane(), *argv], **self._how())

    def log(self, *argv: str) -> str:
        """Run crane and return its log of every request and answer, which it writes to stderr.  Raises RegistryRefused."""
        return proc.transcript([_crane(), "--verbose", *argv], **self._how())

    def login(self, engine: Engine, address: str, password: str) -> str:
        """`docker login`; what it printed, warnings among it.  Raises RegistryRefused when the registry says no."""
        argv: list[str | Path] = [tools.docker(), "login", "--username", USER, "--password-stdin", address]
        how = self._how()
        how |= {"env": {**engine.at.environment(), **self.environment}, "stdin": password}
        return proc.transcript(argv, **how)

    def _how(self) -> proc.How:
        return {"env": self.environment, "timeout": SECONDS, "error": RegistryRefused, "group": True}

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a command uses this client's configuration, its CA and its programs."""
        return {
            "DOCKER_CONFIG": str(self.config),
            "SSL_CERT_FILE": str(self.ca),
            "PATH": environment.on_path(*self.path),
        }

    @property
    def stored(self) -> str:
        """The text of config.json."""
        return (self.config / "config.json").read_text()


def _crane() -> Path:
    return tools.build("crane") / "crane"


@contextmanager
def fresh(private: Private, config: Mapping[str, object] | None = None, *, ca: Path | None = None) -> Iterator[Client]:
    """A client that has not logged in, while the block runs.  ca: by default the registry's authority.

    Its config.json names the registry already: with an empty one, docker would look for a keychain of this machine's user and fill it.
    """
    with TemporaryDirectory(prefix="kit-docker-") as folder:
        text = json.dumps(config or {"auths": {private.address: {}}})
        (Path(folder) / "config.json").write_text(text)
        yield Client(Path(folder), ca or private.ca)


@contextmanager
def logged_in(private: Private, *hosts: str, ca: Path | None = None) -> Iterator[Client]:
    """A client that has logged in to the registry, also under its other addresses."""
    config = json.loads(login_json(private.password, private.address, *hosts))
    with fresh(private, config, ca=ca) as client:
        yield client


@contextmanager
def helped(private: Private) -> Iterator[Client]:
    """A client that has not logged in, and has a credential helper, while the block runs."""
    with keeper.kept() as helper, fresh(private, {"credsStore": keeper.NAME}) as client:
        yield replace(client, path=(helper,))


def wrong(private: Private) -> dict[str, Any]:
    """A config.json with a wrong password."""
    config: dict[str, Any] = json.loads(login_json("not-the-password", private.address))
    return config


@contextmanager
def archive(engine: Engine, reference: str) -> Iterator[Path]:
    """An image of the engine's as a file, as `docker save` writes it, while the block runs."""
    with TemporaryDirectory(prefix="kit-save-") as folder, mapped(f"saving {reference}"):
        file = Path(folder) / "image.tar"
        with file.open("wb") as out:
            for chunk in engine.client.api.get_image(reference):
                out.write(chunk)
        yield file


def push(private: Private, reference: str, name: str) -> None:
    """Push an image of the engine's as NAME (repository:tag)."""
    with logged_in(private) as client, archive(private.cluster.engine, reference) as file:
        client.crane("push", str(file), f"{private.address}/{name}")


def trusted() -> Path:
    """The authorities that this machine believes."""
    return images.trust()
