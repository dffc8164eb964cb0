"""The container engine, by the `docker` package; builds go through buildx, the one thing that package cannot do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import docker
import docker.auth
import docker.errors

from kitlib import paths
from kitlib.engine import daemon, endpoint, plugins
from kitlib.engine.endpoint import Endpoint
from kitlib.engine.errors import mapped
from kitlib.errors import BuildFailed, EngineError
from kitlib.host import buildcontext, environment, preparation, proc, tools
from kitlib.host.console import step

OWN = f"unix://{daemon.SOCKET}"
OWN_ADDRESSES = (OWN, "unix:///run/docker.sock", f"http+unix://{daemon.SOCKET}", "http+unix:///run/docker.sock")


@dataclass(frozen=True)
class Finished:
    """The end of a container: its exit code (None: it never started), its stdout and stderr, and the engine's own error."""

    exit_code: int | None
    output: str
    errors: str = ""
    error: str = ""

    @property
    def said(self) -> str:
        """To be shown: the engine's error, or else what the program printed on either stream."""
        return (self.error or f"{self.errors}{self.output}").strip()


class Engine:
    """One container engine.  Sizes are bytes."""

    def __init__(self, at: Endpoint) -> None:
        self.at = at
        daemon.hold()
        environment.adopt(environment.proxies())  # an engine at 127.0.0.1 is reached without a proxy
        with mapped("connecting"), _own_configuration():
            self.client = docker.DockerClient(base_url=at.host, timeout=120, tls=at.tls() or False)

    @property
    def host(self) -> str:
        """Its address, as DOCKER_HOST has it."""
        return self.at.host

    @property
    def ours(self) -> bool:
        """Whether the kit started this engine."""
        return f"{daemon.LABEL}=1" in (self.info().get("Labels") or [])

    @property
    def id(self) -> str:
        """The engine's own name for itself: it stays the same under every address, and a new installation has another one."""
        return str(self.info().get("ID") or "")

    def info(self) -> dict[str, Any]:
        """The engine's description of itself, as `docker info` shows it.  Raises EngineError."""
        with mapped("asking for the engine's state"):
            return dict(self.client.info())

    def inspect(self, reference: str) -> dict[str, Any] | None:
        """An image's description, None when the engine does not have it."""
        with mapped(f"looking at {reference}"):
            try:
                return dict(self.client.api.inspect_image(reference))
            except docker.errors.ImageNotFound:
                return None

    def size(self, reference: str) -> int:
        """Bytes as the daemon gives them: of all layers, uncompressed; with the containerd image store those of the compressed ones too."""
        found = self.inspect(reference)
        if found is None:
            raise EngineError(f"the engine has no image {reference}", hint="./kit images build")
        return int(found["Size"])

    def history(self, reference: str) -> list[dict[str, Any]]:
        """Layers, newest first: each with CreatedBy and Size (bytes)."""
        with mapped(f"reading the history of {reference}"):
            return list(self.client.api.history(reference))

    def written(self, container: str) -> int:
        """Bytes in a container's writable layer."""
        with mapped(f"asking for the size of {container}"):
            (found,) = self.client.api.containers(all=True, size=True, filters={"id": container})
            return int(found.get("SizeRw", 0))

    def build(
        self,
        context: Path,
        tag: str,
        *,
        dockerfile: Path | None = None,
        args: Mapping[str, str] | None = None,
        contexts: Mapping[str, Path] | None = None,
        labels: Mapping[str, str] | None = None,
        target: str = "",
        host_network: bool = False,
        cache: bool = True,
        fresh: str = "",
        platform: str = "",
        secrets: Mapping[str, Path] | None = None,
    ) -> str:
        """Build an image with BuildKit; returns its id.  Raises BuildFailed.

        What it copies has the modes of `buildcontext`, whatever the user's umask.  contexts: extra named build contexts.
        fresh: a stage for which the cache is not asked.  platform: like linux/arm64, by default the engine's own.
        secrets: id -> file, for RUN --mount=type=secret.
        """
        argv: list[str | Path] = [
            tools.buildx(),
            "build",
            "--load",
            "--provenance=false",
            "--progress=plain",
            "--tag",
            tag,
        ]
        argv += ["--file", dockerfile or context / "Dockerfile"]
        argv += [a for k, v in (args or {}).items() for a in ("--build-arg", f"{k}={v}")]
        argv += [a for k, v in (labels or {}).items() for a in ("--label", f"{k}={v}")]
        argv += ["--target", target] if target else []
        argv += ["--network=host"] if host_network else []
        argv += [f"--build-arg={name}" for name in environment.proxies()] if host_network else []
        argv += [] if cache else ["--no-cache"]
        argv += [f"--no-cache-filter={fresh}"] if fresh else []
        argv += [f"--platform={platform}"] if platform else []
        argv += [f"--secret=id={k},src={v}" for k, v in (secrets or {}).items()]
        with step(f"building image {tag}") as line, buildcontext.plain(context, contexts or {}) as (plain, named):
            argv += [f"--build-context={name}={folder}" for name, folder in named.items()]
            proc.run([*argv, plain], env=self.environment(), on_line=line, error=BuildFailed)
        return str((self.inspect(tag) or {})["Id"])

    def pull(self, reference: str) -> None:
        """Pull an image, as the user where the user has logged in."""
        with step(f"pulling {reference}"), mapped(f"pulling {reference}"):
            self.client.api.pull(reference, auth_config=_login(reference))

    def push(self, reference: str, to: str) -> None:
        """Push an image under another name, which the engine keeps only meanwhile.  Raises EngineError with the registry's message."""
        from filelock import FileLock

        repository, _, tag = to.rpartition(":")
        lock = paths.cache() / f"push-{repository.rpartition('/')[2]}.lock"
        with FileLock(lock), mapped(f"pushing {to}"):  # or another push of it takes the name away
            self.client.api.tag(reference, repository, tag, force=True)
            try:
                for event in self.client.api.push(repository, tag=tag, stream=True, decode=True):
                    if "error" in event:
                        raise EngineError(f"pushing {to}: {event['error']}", hint="./kit status")
            finally:
                self.client.api.remove_image(to, noprune=True)

    def remove(self, reference: str, *, force: bool = False) -> None:
        """Remove a name, and the image when that was its last; force: also the last name of an image that a container uses."""
        with mapped(f"removing {reference}"):
            self.client.images.remove(reference, force=force)

    def run(self, reference: str, command: Sequence[str] = (), *, timeout: float = 60) -> Finished:
        """Run a container to its end (no network, all capabilities dropped) and remove it."""
        with mapped(f"running {reference}"):
            container = self.client.containers.create(
                reference, list(command) or None, network_mode="none", cap_drop=["ALL"], labels={"local.kit.run": "1"}
            )
            try:
                container.start()
            except docker.errors.APIError as e:
                return Finished(None, "", error=str(e.explanation or e))
            else:
                code = container.wait(timeout=timeout)["StatusCode"]
                streams = (
                    container.logs(stdout=data, stderr=not data).decode(errors="replace") for data in (True, False)
                )
                return Finished(int(code), *streams)
            finally:
                container.remove(force=True, v=True)

    def environment(self) -> dict[str, str]:
        """For docker, buildx and kind: this engine and its own builder, and the kit's own client configuration."""
        return {
            **self.at.environment(),
            "DOCKER_CONFIG": str(plugins.client_configuration()),
            "BUILDX_BUILDER": "default",
        }


@contextmanager
def _own_configuration() -> Iterator[None]:
    """Let the docker package read the kit's configuration: from the user's it would give proxies to every container."""
    before = os.environ.get("DOCKER_CONFIG")
    os.environ["DOCKER_CONFIG"] = str(endpoint.own_folder())
    try:
        yield
    finally:
        del os.environ["DOCKER_CONFIG"]
        if before is not None:
            os.environ["DOCKER_CONFIG"] = before


def _login(reference: str) -> dict[str, Any] | None:
    """The credentials that the user's docker would send to the image's registry; None when there are none, or they cannot be read."""
    file = endpoint.user_folder() / "config.json"
    registry, _ = docker.auth.resolve_repository_name(reference)
    try:
        known = docker.auth.load_config(config_path=str(file)) if file.is_file() else {}
        return docker.auth.resolve_authconfig(known, registry) or None
    except (docker.errors.DockerException, AttributeError, OSError):
        return None


def connect() -> Engine | None:
    """The engine that the user's docker would speak to, if it answers.  Raises EngineError when what names it is wrong."""
    at = endpoint.find(daemon.SOCKET)
    at.tls()
    try:
        engine = Engine(at)
        engine.info()
    except EngineError:
        return None
    return engine


def asked() -> str:
    """The address at which `connect` looks for an engine."""
    return endpoint.find(daemon.SOCKET).host


def ensure() -> Engine:
    """A running engine, started by the kit if that is possible.  Raises EngineError with the next step."""
    if found := connect():
        return found
    at = endpoint.find(daemon.SOCKET)
    if at.said and at.host not in OWN_ADDRESSES:
        raise EngineError(
            f"no container engine answers at {at.said}, and the kit starts none elsewhere",
            hint=f"start it, or: {endpoint.OWN}",
        )
    if reason := daemon.possible():
        raise EngineError(
            f"no container engine answers, and the kit cannot start one: {reason}",
            hint="start Docker (or install it), then run the same command again",
        )
    daemon.start()
    started = connect()
    if started is None:
        raise EngineError("the engine started but does not answer", hint=f"read {daemon.LOG}")
    return started


@cache
def current() -> Engine:
    """The engine of this process; in a kernel, once it has been prepared.  Raises EngineError when none is running."""
    preparation.awaited("engine")
    found = connect()
    if found is None:
        raise EngineError("no container engine answers", hint="./kit up")
    return found


def describe() -> dict[str, Any]:
    """For the stamp: version, storage driver and cgroup version; {} without an engine."""
    try:
        found = connect()
    except EngineError:
        found = None
    if found is None:
        return {}
    info = found.info()
    return {
        "version": info["ServerVersion"],
        "storage_driver": info["Driver"],
        "cgroup": f"v{info.get('CgroupVersion', '1')}",
        "built_by_kit": found.ours,
    }
