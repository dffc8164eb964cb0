"""How long from a change of the source to the service that runs it, by `docker compose watch`?"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kitlib import debug, paths
from kitlib.cluster.bound import Cluster
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError
from kitlib.measure.development.debugging import APP, READY
from kitlib.supply import images
from kitlib.workloads import builds, compose

SOURCE = "internal/items/memory.go"
BEFORE, ITEM = "Whale, enamel pin", "/items/2"
SECONDS = 180
ENABLED = "Watch enabled"
FILE = """\
services:
  api:
    build:
      context: ./src
      dockerfile: Dockerfile.debug
      args: {GOLANG: "${GOLANG}", DELVE: "${DELVE}"}
    ports: ["127.0.0.1::8080", "127.0.0.1::40000"]
    develop:
      watch:
        - {action: rebuild, path: ./src, ignore: ["*_test.go"]}
"""


@contextmanager
def served(cluster: Cluster, made: str) -> Iterator[compose.Project]:
    """A project that runs a copy of goapp's source, built for debugging; the copy and everything that was made are removed afterwards."""
    source = paths.state() / "compose" / made / "src"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(paths.ROOT / "goapp", source)
    (source / "Dockerfile.debug").write_text(images.image("goapp-debug").dockerfile)
    bases = {"GOLANG": builds.base(cluster.engine, "golang"), "DELVE": builds.base(cluster.engine, "delve")}
    project = compose.project(cluster, made, FILE, **bases)
    try:
        project.up(build=True)
        compose.said(project.container("api"), READY)
        yield project
    finally:
        builds.remove(cluster.engine, made)
        shutil.rmtree(source, ignore_errors=True)


def name_of(project: compose.Project) -> str:
    """The item's name in the running service."""
    with debug.ask(project.port("api", APP), ITEM) as asked:
        return str(json.loads(asked.answer()[1])["name"])


def edit(project: compose.Project, name: str) -> float:
    """Give the item another name in the copy's source while Compose watches; seconds until the new program is ready."""
    file = project.folder / "src" / SOURCE
    with project.watch() as process:
        _heard(process.stdout, ENABLED)
        earlier, old, since = project.container("api").id, name_of(project), int(time.time())
        began = time.monotonic()
        _replace(file, old, name)
        _started(project, since, earlier)
        compose.said(project.container("api"), READY)
        return time.monotonic() - began


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise EngineError(f"{file.name} has no {old!r}", hint="run the cell that copies the source")
    file.write_text(text.replace(old, new))


def _heard(lines: Iterable[str], words: str) -> None:
    """Read Compose's output until it has these words.  Raises EngineError when it ends before."""
    seen = []
    for line in lines:
        seen.append(line.rstrip())
        if words in line:
            return
    raise EngineError(f"compose watch ended without printing {words!r}", observed=seen[-5:])


def _started(project: compose.Project, since: int, earlier: str) -> None:
    """Return when the engine has started another container of the project; the engine's events report it.  Raises EngineError otherwise.

    since: the engine counts in whole seconds, so that it may report the start of the earlier container once more.
    """
    wanted = {"type": "container", "event": "start", "label": f"com.docker.compose.project={project.name}"}
    client = project.cluster.engine.client
    with (
        mapped("waiting for the new container"),
        closing(client.events(since=since, until=since + SECONDS, decode=True, filters=wanted)) as events,
    ):
        if all(event["Actor"]["ID"] == earlier for event in events):
            raise EngineError(
                f"no new container was started within {SECONDS} s", hint="does the edited source compile?"
            )
