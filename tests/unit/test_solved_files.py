"""Solutions that change a starter file: the file that they leave has what the task asks for.  No cluster and no engine is needed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kitlib import exercises
from kitlib.exercises.metric_series import Scraped
from kitlib.exercises.private_registry import Pull
from kitlib.learning import starters
from kitlib.private_registry import files
from kitlib.workloads import app

# kubectl and docker do nothing, but for the address of the registry, the file of a login, and a copy of what a Secret is made of.
STUBS = """\
docker() {
  case "$*" in
    port*) echo 127.0.0.1:5000 ;;
    *" login "*) echo '{"auths": {"127.0.0.1:5000": {}}}' > "$2/config.json" ;;
  esac
}
kubectl() { for word; do case $word in --from-file=*) cp "${word##*=}" secret.json ;; esac; done; }
"""


def _solved(name: str, folder: Path) -> Any:
    """The exercise's file after its solution."""
    chapter, _, exercise = name.partition("/")
    found = starters.folder(chapter, folder)
    found.lay_out()
    (folder / "private" / "client").mkdir(parents=True)
    (folder / "private" / "password").write_text("password")
    env = {**os.environ, "KUBECONFIG": str(folder / "kubeconfig")}
    text = STUBS + exercises.exercise(name).solution()
    subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=found.path, env=env, check=True, capture_output=True)
    return yaml.safe_load((found.path / f"{exercise}.yaml").read_text())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("4.1-logging/fields", {"CATALOG_LOG_LEVEL": "DEBUG", "CATALOG_NAME": "shop"}),
        ("4.3-tracing/endpoint", {"CATALOG_OTLP_ENDPOINT": "http://collector.kit-traces:4318"}),
    ],
)
def test_the_environment_has_the_settings(name: str, wanted: dict[str, str], tmp_path: Path) -> None:
    """Beside those that the file had; each is there once."""
    (container,) = _solved(name, tmp_path)["spec"]["template"]["spec"]["containers"]
    found = {entry["name"]: entry["value"] for entry in container["env"]}

    assert wanted.items() <= found.items()
    assert len(found) == len(container["env"]) > len(wanted)
    assert container["ports"] == [{"name": "http", "containerPort": app.PORT}]


def test_the_annotations_are_in_the_pod_template(tmp_path: Path) -> None:
    """And not in the Deployment; all values are strings, as the API server demands."""
    found = _solved(Scraped.name, tmp_path)
    notes = found["spec"]["template"]["metadata"]["annotations"]

    assert notes == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(app.PORT),
        "prometheus.io/path": "/metrics",
        "prometheus.io/interval": f"{Scraped.interval:.0f}s",
    }
    assert "annotations" not in found["metadata"]


def test_the_pod_names_a_secret_for_the_registry_of_its_image(tmp_path: Path) -> None:
    """The Secret has the registry's name on the nodes, and not its address on this machine; the file that it is made of is removed."""
    pod = _solved(Pull.name, tmp_path)
    (secret,) = tmp_path.glob("*/secret.json")

    assert pod["spec"]["imagePullSecrets"] == [{"name": Pull.secret}]
    assert pod["spec"]["containers"][0]["image"] == f"{files.HOST}/{Pull.repository}:1"
    assert list(json.loads(secret.read_text())["auths"]) == [files.HOST]
    assert not (tmp_path / "private" / "client" / "pull.json").exists()
