"""The files by which Compose itself makes what the kit can find and remove."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from kitlib.cluster.bound import Cluster
from kitlib.engine import plugins
from kitlib.errors import UsageError
from kitlib.host import tools
from kitlib.supply import images
from kitlib.workloads import builds, compose

MARKS = {builds.LABEL: "shop", "owner": "me"}
TEXT = "services:\n  api: {build: {context: ./src}, ports: ['127.0.0.1::8080']}\n  cache: {image: 'cache:1'}\n"


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The plugins that were added; no program is built for it."""
    found: list[Any] = []
    monkeypatch.setattr(plugins, "add", lambda name, program: found.append((name, program)))
    monkeypatch.setattr(tools, "compose", lambda: Path("/compose"))
    monkeypatch.setattr(builds, "labels", lambda made: {**MARKS, builds.LABEL: made})
    return found


def _beside(folder: Path, text: str) -> Path:
    file = folder / "compose.yaml"
    file.write_text(text)
    cluster = cast(Cluster, SimpleNamespace(identity=SimpleNamespace(mark="a1")))
    compose.beside(cluster, "shop", file, BASE="base:1")
    return file


@pytest.mark.usefixtures("added")
def test_a_learners_project_has_the_owners_mark(tmp_path: Path) -> None:
    """Every service, image and network of the file is marked, in another file; its own text stays as it is."""
    file = _beside(tmp_path, TEXT)
    override = yaml.safe_load((tmp_path / "compose.override.yaml").read_text())

    assert file.read_text() == TEXT
    assert {name: service["labels"] for name, service in override["services"].items()} == {"api": MARKS, "cache": MARKS}
    assert override["services"]["api"]["build"] == {"labels": {**MARKS, images.LABEL: "shop"}}
    assert "build" not in override["services"]["cache"]
    assert override["networks"] == {"default": {"labels": MARKS}}


def test_a_learners_project_has_a_name_and_its_variables(tmp_path: Path, added: list[Any]) -> None:
    """Compose reads both from `.env`, also in a terminal; and it is a plugin of the kit's docker."""
    _beside(tmp_path, TEXT)

    assert (tmp_path / ".env").read_text() == "COMPOSE_PROJECT_NAME=kit-shop-a1\nBASE=base:1\n"
    assert added == [("docker-compose", Path("/compose"))]


@pytest.mark.usefixtures("added")
def test_a_file_without_services_is_refused(tmp_path: Path) -> None:
    """The error names what a Compose file has; nothing is written."""
    with pytest.raises(UsageError, match="no compose file"):
        _beside(tmp_path, "apis: {}\n")
    assert not (tmp_path / ".env").exists()
