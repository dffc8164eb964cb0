"""The container engine that the user's docker uses: DOCKER_HOST, then DOCKER_CONTEXT, then the current context of config.json.

Read here and not by the docker package, which ends in an AttributeError where a context is missing, reads a configuration that is no
JSON as if there were none, and gives its proxies to every container.  Layout of the files: docker/cli, cli/context/store.
The docker package is imported where an address has to be looked at only: a kernel comes by here as it starts.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitlib import paths
from kitlib.errors import EngineError

if TYPE_CHECKING:
    from docker.tls import TLSConfig

DEFAULT = "default"
ANOTHER = "env -u DOCKER_HOST DOCKER_CONTEXT=default ./kit doctor"  # the engine at this machine's own socket
OWN = "env -u DOCKER_HOST DOCKER_CONTEXT=default ./kit up"


@dataclass(frozen=True)
class Endpoint:
    """An engine's address.  said: what names it, "" for the default socket; certificates: folder with ca.pem, cert.pem and key.pem."""

    host: str
    said: str = ""
    certificates: Path | None = None
    verify: bool = True

    def tls(self) -> TLSConfig | None:
        """For the docker package.  Raises EngineError for a file that is not there."""
        from docker.errors import DockerException
        from docker.tls import TLSConfig

        if self.certificates is None:
            return TLSConfig(verify=False) if not self.verify else None
        ca, cert, key = (self.certificates / f"{name}.pem" for name in ("ca", "cert", "key"))
        try:
            pair = (str(cert), str(key)) if cert.exists() or key.exists() else None
            return TLSConfig(client_cert=pair, ca_cert=str(ca) if ca.exists() else None, verify=self.verify)
        except DockerException as e:
            why = f"{self.certificates} has no pair of cert.pem and key.pem"
            raise EngineError(f"{self.said} asks for TLS, and {why}", hint=ANOTHER) from e

    def environment(self) -> dict[str, str]:
        """For docker, buildx, Compose and kind."""
        found = {"DOCKER_HOST": self.host}
        if self.certificates:
            found["DOCKER_CERT_PATH"] = str(self.certificates)
        if self.certificates or not self.verify:
            found["DOCKER_TLS_VERIFY" if self.verify else "DOCKER_TLS"] = "1"
        return found


def find(socket: Path) -> Endpoint:
    """The engine that the user means; socket: the address when nothing names one.  Raises EngineError with what is wrong, and where."""
    host = os.environ.get("DOCKER_HOST")
    if host == f"unix://{socket}":
        return Endpoint(host)
    if host:
        verify = bool(os.environ.get("DOCKER_TLS_VERIFY"))
        if not verify and not os.environ.get("DOCKER_TLS"):
            return _usable(Endpoint(host, f"DOCKER_HOST={host}"))
        folder = Path(os.environ.get("DOCKER_CERT_PATH") or user_folder())
        return _usable(Endpoint(host, f"DOCKER_HOST={host}", folder, verify))
    file = user_folder() / "config.json"
    if name := os.environ.get("DOCKER_CONTEXT"):
        return _context(name, f"DOCKER_CONTEXT={name}", socket)
    name = (_read(file) or {}).get("currentContext") or DEFAULT
    if not isinstance(name, str):
        raise EngineError(f"currentContext in {file} is {json.dumps(name)}, which is no name", hint=ANOTHER)
    return _context(name, f"the current context {name} of {file}", socket)


def own_folder() -> Path:
    """The kit's own DOCKER_CONFIG.  It has a config.json: where there is none, the docker package looks for the user's."""
    folder = paths.state() / "docker"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.json"
    if not file.exists():
        file.write_text(json.dumps({"auths": {}}))
    return folder


def user_folder() -> Path:
    """The user's own DOCKER_CONFIG.  A kernel of the kit has the kit's DOCKER_CONFIG, and the user's in another variable."""
    said = os.environ.get("KIT_USER_DOCKER_CONFIG") or os.environ.get("DOCKER_CONFIG")
    return Path(said) if said else Path.home() / ".docker"


def _context(name: str, said: str, socket: Path) -> Endpoint:
    if name == DEFAULT:
        return Endpoint(f"unix://{socket}")
    digest = hashlib.sha256(name.encode()).hexdigest()
    file = user_folder() / "contexts" / "meta" / digest / "meta.json"
    try:
        found = _read(file)
    except EngineError as e:
        raise EngineError(f"{said}: {e.message}", hint=ANOTHER) from e
    if found is None:
        raise EngineError(f"{said}: there is no such context in {user_folder() / 'contexts'}", hint=ANOTHER)
    try:
        entry = found["Endpoints"]["docker"]
        host, unverified = entry.get("Host") or f"unix://{socket}", bool(entry.get("SkipTLSVerify"))
    except (KeyError, TypeError, AttributeError):
        raise EngineError(f"{said}: {file} names no endpoint of Docker", hint=ANOTHER) from None
    folder = user_folder() / "contexts" / "tls" / digest / "docker"
    over_tcp = str(host).startswith(("tcp://", "https://"))
    certificates = folder if over_tcp and folder.is_dir() else None
    return _usable(Endpoint(str(host), said, certificates, verify=not (over_tcp and unverified)))


def _usable(found: Endpoint) -> Endpoint:
    """Raises EngineError for an address that the kit cannot speak to."""
    if found.host.startswith("ssh://"):
        raise EngineError(
            f"{found.said} is an engine behind ssh, and the kit needs one whose published ports are on 127.0.0.1 here",
            hint=ANOTHER,
        )
    from docker.errors import DockerException
    from docker.utils import parse_host

    try:
        parse_host(found.host, tls=found.certificates is not None)
    except (DockerException, ValueError) as e:
        raise EngineError(f"{found.said}: {found.host!r} is no address of an engine ({e})", hint=ANOTHER) from e
    return found


def _read(file: Path) -> dict[str, Any] | None:
    """A file of JSON; None where there is none.  Raises EngineError for anything but an object."""
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as e:
        raise EngineError(f"{file} cannot be read: {e}", hint=f"correct it, or: {ANOTHER}") from e
    if not isinstance(found, dict):
        raise EngineError(f"{file} is not an object of JSON", hint=f"correct it, or: {ANOTHER}")
    return found
