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
import docker.errors
import requests
from docker.context import ContextAPI
from filelock import FileLock

from kitlib import dockerd, paths, proc, tools
from kitlib.console import step
from kitlib.errors import BuildFailed, EngineError


@contextmanager
def mapped(doing: str) -> Iterator[None]:
    """Turn errors of the docker package into EngineError."""
    try:
        yield
    except docker.errors.NotFound as e:
        raise EngineError(f"{doing}: {e.explanation or e}", hint="./kit images list") from e
    except docker.errors.APIError as e:
        raise EngineError(f"{doing}: {e.explanation or e}", hint="./kit doctor") from e
    except (docker.errors.DockerException, requests.exceptions.RequestException) as e:
        raise EngineError(f"{doing}: the container engine does not answer ({e})", hint="./kit doctor") from e


@dataclass(frozen=True)
class Finished:
    """How a container ended: exit code (None: it never started), its output, and the engine's own error."""

    exit_code: int | None
    output: str
    error: str


class Engine:
    """One container engine.  Sizes are bytes."""

    def __init__(self, host: str) -> None:
        self.host = host
        with mapped("connecting"):
            self.client = docker.DockerClient(base_url=host, timeout=120)

    @property
    def ours(self) -> bool:
        """Whether the kit started this engine."""
        return f"{dockerd.LABEL}=1" in (self.info().get("Labels") or [])

    def info(self) -> dict[str, Any]:
        with mapped("asking for the engine's state"):
            return dict(self.client.info())

    def inspect(self, reference: str) -> dict[str, Any] | None:
        """An image's description, None when it is not here."""
        with mapped(f"looking at {reference}"):
            try:
                return dict(self.client.api.inspect_image(reference))
            except docker.errors.ImageNotFound:
                return None

    def size(self, reference: str) -> int:
        """Bytes of all layers, uncompressed, as `docker image ls` shows them."""
        found = self.inspect(reference)
        if found is None:
            raise EngineError(f"image {reference} is not here", hint="./kit images build")
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

        contexts: extra named build contexts.  fresh: a stage for which the cache is not asked.  platform: like linux/arm64.
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
        argv += [a for k, v in (contexts or {}).items() for a in ("--build-context", f"{k}={v}")]
        argv += [a for k, v in (labels or {}).items() for a in ("--label", f"{k}={v}")]
        argv += ["--target", target] if target else []
        argv += ["--network=host"] if host_network else []
        argv += [] if cache else ["--no-cache"]
        argv += [f"--no-cache-filter={fresh}"] if fresh else []
        argv += [f"--platform={platform}"] if platform else []
        argv += [f"--secret=id={k},src={v}" for k, v in (secrets or {}).items()]
        with step(f"building image {tag}") as line:
            proc.run([*argv, context], env=self.environment(), on_line=line, error=BuildFailed)
        return str((self.inspect(tag) or {})["Id"])

    def pull(self, reference: str) -> None:
        with step(f"pulling {reference}"), mapped(f"pulling {reference}"):
            self.client.api.pull(reference)

    def push(self, reference: str, to: str) -> None:
        """Push an image under another name, which it has here only meanwhile.  Raises EngineError with what the registry said."""
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

    def remove(self, reference: str) -> None:
        """Remove a name, and the image when that was its last."""
        with mapped(f"removing {reference}"):
            self.client.images.remove(reference)

    def run(self, reference: str, command: Sequence[str] = (), *, timeout: float = 60) -> Finished:
        """Run a container to its end (no network, all capabilities dropped) and remove it."""
        with mapped(f"running {reference}"):
            container = self.client.containers.create(
                reference, list(command) or None, network_mode="none", cap_drop=["ALL"], labels={"local.kit.run": "1"}
            )
            try:
                container.start()
            except docker.errors.APIError as e:
                return Finished(None, "", str(e.explanation or e))
            else:
                code = container.wait(timeout=timeout)["StatusCode"]
                return Finished(int(code), container.logs().decode(errors="replace"), "")
            finally:
                container.remove(force=True, v=True)

    def environment(self) -> dict[str, str]:
        """For docker, buildx and kind: this engine, and the kit's own client configuration."""
        return {"DOCKER_HOST": self.host, "DOCKER_CONFIG": str(client_configuration())}


def client_configuration() -> Path:
    """A DOCKER_CONFIG of the kit's own, with buildx as a plugin; the user's is neither read nor written."""
    return plug("docker-buildx", tools.buildx())


def plug(name: str, program: Path) -> Path:
    """Make a program a plugin of the docker command line, in the kit's own DOCKER_CONFIG; returns that folder."""
    folder = paths.state() / "docker"
    plugin = folder / "cli-plugins" / name
    plugin.parent.mkdir(parents=True, exist_ok=True)
    if not (plugin.is_symlink() and plugin.readlink() == program):
        plugin.unlink(missing_ok=True)
        plugin.symlink_to(program)
    return folder


def connect() -> Engine | None:
    """The engine that answers where the user's docker would look (DOCKER_HOST, then the current context); None when there is none."""
    try:
        host = os.environ.get("DOCKER_HOST") or ContextAPI.get_current_context().Host or f"unix://{dockerd.SOCKET}"
        engine = Engine(host)
        engine.info()
    except EngineError:
        return None
    return engine


def ensure() -> Engine:
    """A running engine, started by the kit if that is possible.  Raises EngineError with the next step."""
    if found := connect():
        return found
    if reason := dockerd.possible():
        raise EngineError(
            f"no container engine answers, and the kit cannot start one: {reason}",
            hint="start Docker (or install it), then run the same command again",
        )
    dockerd.start()
    started = connect()
    if started is None:
        raise EngineError("the engine started but does not answer", hint=f"read {dockerd.LOG}")
    return started


@cache
def current() -> Engine:
    """The engine of this process; it must be running."""
    found = connect()
    if found is None:
        raise EngineError("no container engine answers", hint="./kit up")
    return found


def describe() -> dict[str, Any]:
    """For the stamp: version, storage driver and cgroup version; {} without an engine."""
    found = connect()
    if found is None:
        return {}
    info = found.info()
    return {
        "version": info["ServerVersion"],
        "storage_driver": info["Driver"],
        "cgroup": f"v{info.get('CgroupVersion', '1')}",
        "built_by_kit": found.ours,
    }
