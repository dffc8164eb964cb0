"""Docker Compose on the kit's engine: projects whose parts all carry the owner's mark, and can be removed without their file."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kitlib import paths
from kitlib.cluster.bound import Cluster
from kitlib.engine import plugins
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError, UsageError
from kitlib.host import console, proc, textfile, tools
from kitlib.supply import images
from kitlib.workloads import builds

LOOPBACK = "127.0.0.1:"
SECONDS = 300.0


@dataclass(frozen=True)
class Project:
    """A compose.yaml and what runs by it.  made: the name that `remove` takes; variables: what the file's ${NAMES} stand for."""

    cluster: Cluster
    made: str
    file: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the project, and so the beginning of its containers' names."""
        return f"kit-{self.made}-{self.cluster.identity.mark}"

    def up(self, *, build: bool = False) -> None:
        """Start the services.  Raises CommandFailed with Compose's own message."""
        flags = ["--build"] if build else []
        with console.quiet():
            proc.run(
                self._argv("up", "--detach", *flags),
                env=self._environment(),
                timeout=SECONDS,
                group=True,
                cwd=self.folder,
            )

    def container(self, service: str) -> Any:
        """The container of a service, as the docker package has it.  Raises EngineError when there is none."""
        labels = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        with mapped(f"looking for {service}"):
            found = self.cluster.engine.client.containers.list(all=True, filters={"label": labels})
        if not found:
            raise EngineError(f"the service {service} has no container", hint="does its project run?")
        return found[0]

    def port(self, service: str, port: int) -> int:
        """The port of 127.0.0.1 that leads to a service's port.  Raises EngineError when it is not published, as when nothing runs."""
        return published(self.container(service), port)

    @contextmanager
    def watch(self) -> Iterator[proc.Background]:
        """`docker compose watch` beside the block: it carries out the file's `develop.watch`; stdout has all of its output."""
        argv = self._argv("watch", "--no-up")
        with proc.background(argv, env=self._environment(), cwd=self.folder, by=signal.SIGINT, merged=True) as running:
            yield running

    @property
    def folder(self) -> Path:
        """The folder of the Compose file."""
        return self.file.parent

    def _argv(self, *words: str) -> list[str | Path]:
        return [tools.docker(), "compose", "--ansi=never", "--project-name", self.name, "--file", self.file, *words]

    def _environment(self) -> dict[str, str]:
        plugins.add("docker-compose", tools.compose())
        return {**self.cluster.engine.environment(), **self.variables, "COMPOSE_MENU": "false"}


def project(cluster: Cluster, made: str, text: str, **variables: str) -> Project:
    """A project by the text of a compose.yaml, in which paths begin at the folder of the checkout.

    Ports have to be bound to 127.0.0.1.  Raises UsageError otherwise, and when Compose cannot read the text.
    """
    parsed = _parsed(text)
    marks = builds.labels(made)
    for name, service in parsed["services"].items():
        if open_to_all := [p for p in service.get("ports", ()) if not str(p).startswith(LOOPBACK)]:
            raise UsageError(
                f"{name} would publish {', '.join(map(str, open_to_all))} on every address of this machine",
                hint=f'bind it: "{LOOPBACK}{open_to_all[0]}"; a client that reaches a debugger\'s port can run any code',
            )
        service["labels"] = {**service.get("labels", {}), **marks}
        if isinstance(service.get("build"), dict):
            service["build"]["labels"] = {**service["build"].get("labels", {}), **marks, images.LABEL: made}
    parsed["networks"] = {"default": {"labels": marks}}
    file = paths.state() / "compose" / made / "compose.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(parsed, sort_keys=False))
    return Project(cluster, made, file, variables)


def beside(cluster: Cluster, made: str, file: Path, **variables: str) -> None:
    """Let `docker compose` in the folder of a compose.yaml, in cells and in terminals, make what `remove` finds.  Raises UsageError.

    Compose becomes a plugin of the kit's docker, and reads two new files by itself: `.env` with the project's name and the variables, and
    compose.override.yaml with the owner's mark.
    """
    plugins.add("docker-compose", tools.compose())
    services = {name: _marked(service, made) for name, service in _parsed(textfile.read(file))["services"].items()}
    override = {"services": services, "networks": {"default": {"labels": builds.labels(made)}}}
    settings = {"COMPOSE_PROJECT_NAME": Project(cluster, made, file).name, **variables}
    textfile.put(file.with_name(".env"), "".join(f"{name}={value}\n" for name, value in settings.items()))
    textfile.put(file.with_name("compose.override.yaml"), yaml.safe_dump(override, sort_keys=False))


def _marked(service: Mapping[str, Any], made: str) -> dict[str, Any]:
    """What the override of a service says: the labels of its containers, and of the image that it builds."""
    build = {"build": {"labels": {**builds.labels(made), images.LABEL: made}}} if "build" in service else {}
    return {"labels": builds.labels(made), **build}


def published(container: Any, port: int) -> int:
    """The port of 127.0.0.1 that leads to a container's port.  Raises EngineError with the end of its log when it does not run."""
    with mapped("looking for its port"):
        container.reload()
        found = container.ports.get(f"{port}/tcp")
        if found:
            return int(found[0]["HostPort"])
        log = container.logs(tail=5).decode(errors="replace").splitlines()
    raise EngineError(f"{container.name} is {container.status} and has no port {port}", observed=log)


def said(container: Any, words: str) -> str:
    """The first line of a container's log with these words, as soon as it is there.  Raises EngineError when it ends before."""
    lines: list[str] = []
    with mapped(f"reading the log of {container.name}"), closing(container.logs(stream=True, follow=True)) as log:
        for chunk in log:
            lines += chunk.decode(errors="replace").splitlines()
            if found := next((line for line in lines if words in line), None):
                return str(found)
    raise EngineError(f"{container.name} ended without printing {words!r}", observed=lines[-5:])


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed = yaml.safe_load(text)
        services = parsed["services"].values()
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as e:
        raise UsageError(f"this is no compose file: {e}", hint="it has `services`, and a name for each") from e
    if not all(isinstance(service, dict) for service in services):
        raise UsageError("a service of the compose file is empty", hint="give it an image")
    return dict(parsed)
