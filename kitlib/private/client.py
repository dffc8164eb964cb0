"""Clients of the private registry, each with a DOCKER_CONFIG of its own: nobody's ~/.docker is read or written.

crane pushes and pulls, because it checks the registry's certificate like any client of a real registry.  The engine does not: it takes
a registry on a loopback address without a look at its certificate, and one elsewhere only if root puts the authority's certificate
into /etc/docker/certs.d.  docker is asked for what the guide has it do: to log in.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib import images, proc, tools
from kitlib.engine import Engine, mapped
from kitlib.errors import RegistryRefused
from kitlib.private import keeper
from kitlib.private.files import USER, login_json
from kitlib.private.server import Private

SECONDS = 120  # for one command, however slow the machine is


@dataclass(frozen=True)
class Client:
    """A folder with a config.json, and the authorities to believe.  path: folders to look for credential helpers in."""

    config: Path
    ca: Path
    path: tuple[Path, ...] = ()

    def crane(self, *argv: str) -> str:
        """Run crane; what it printed.  Raises RegistryRefused with the registry's words."""
        program = tools.build("crane") / "crane"
        return proc.run([program, *argv], env=self.environment, timeout=SECONDS, error=RegistryRefused, group=True)

    def login(self, engine: Engine, address: str, password: str) -> str:
        """`docker login`; what it printed.  Raises RegistryRefused when the registry says no."""
        argv: list[str | Path] = [tools.docker(), "login", "--username", USER, "--password-stdin", address]
        env = {**self.environment, "DOCKER_HOST": engine.host}
        return proc.run(argv, env=env, stdin=password, timeout=SECONDS, error=RegistryRefused, group=True)

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([*map(str, self.path), os.environ["PATH"]])
        return {"DOCKER_CONFIG": str(self.config), "SSL_CERT_FILE": str(self.ca), "PATH": path}

    @property
    def stored(self) -> str:
        """The text of config.json."""
        return (self.config / "config.json").read_text()


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
    """A client that has logged in, to other addresses of the registry, too."""
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
