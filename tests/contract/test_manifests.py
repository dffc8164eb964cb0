"""goapp's manifests and its treatments: what a reader may rely on in every one of them."""

import ast
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

from kitlib import paths
from kitlib.kube import kustomize
from kitlib.kube.client import Object
from kitlib.workloads import app

COMPONENTS = kustomize.CLUSTER / "components"
SIX = {f"app.kubernetes.io/{part}" for part in ("name", "instance", "version", "component", "part-of", "managed-by")}
CASES = [(), *((name,) for name in app.all_treatments())]
LONGEST = 40


def named(treatments: tuple[str, ...]) -> str:
    return "-".join(treatments) or "base"


@pytest.fixture(params=CASES, ids=named)
def rendered(request: pytest.FixtureRequest) -> list[Object]:
    """The base, or one treatment of it."""
    return app.manifests("instance", "kit.local/goapp:1", treatments=request.param)


@pytest.mark.parametrize("name", app.all_treatments())
def test_a_treatment_is_small_and_explained(name: str) -> None:
    """Each says what it changes and why, in files of at most forty lines."""
    readme = (COMPONENTS / name / "README.md").read_text()
    too_long = [f.name for f in (COMPONENTS / name).glob("*.yaml") if len(f.read_text().splitlines()) > LONGEST]

    assert readme.startswith(f"# {name}\n")
    assert "\nWhy: " in readme
    assert too_long == []


@pytest.mark.parametrize(
    "file", sorted(chain(COMPONENTS.glob("*/goapp-*"), (kustomize.CLUSTER / "base").glob("goapp-*"))), ids=str
)
def test_a_file_holds_what_its_name_says(file: Path) -> None:
    """component-kind.yaml; every object is called goapp, so that renaming an instance reaches it."""
    found = yaml.safe_load(file.read_text())

    assert file.name == f"goapp-{found['kind'].lower()}.yaml"
    assert found["metadata"]["name"] == app.NAME


def test_every_object_has_all_six_labels(rendered: list[Object]) -> None:
    """The same holds for pods made from a template."""
    labels = [m["metadata"]["labels"] for m in rendered]
    labels += [m["spec"]["template"]["metadata"]["labels"] for m in rendered if m["kind"] == "Deployment"]

    assert [SIX - found.keys() for found in labels] == len(labels) * [set()]


def test_every_object_belongs_to_the_instance(rendered: list[Object]) -> None:
    """By its name and by its label: two instances in one namespace never share anything."""
    marks = {(m["metadata"]["name"], m["metadata"]["labels"]["app.kubernetes.io/instance"]) for m in rendered}

    assert marks == {("instance", "instance")}


def test_every_container_has_requests_and_a_memory_limit(rendered: list[Object]) -> None:
    """The scheduler knows what it needs, and a leak ends at the container."""
    (deployment,) = (m for m in rendered if m["kind"] == "Deployment")
    resources = [c["resources"] for c in deployment["spec"]["template"]["spec"]["containers"]]

    assert all(r["requests"].keys() == {"cpu", "memory"} and "memory" in r["limits"] for r in resources)


def test_the_grace_period_has_room_for_the_shutdown(rendered: list[Object]) -> None:
    """SIGKILL comes after preStop hook and goapp's own shutdown, its drain delay included."""
    (deployment,) = (m for m in rendered if m["kind"] == "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    env = {e["name"]: e.get("value") for e in container.get("env", [])}
    hook = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    shutdown = int(env.get("CATALOG_SHUTDOWN_TIMEOUT", "25s").removesuffix("s"))

    assert spec["terminationGracePeriodSeconds"] > hook + shutdown


def test_every_setting_of_a_treatment_is_one_that_goapp_has(rendered: list[Object]) -> None:
    """A variable that goapp does not read would be a treatment without effect."""
    (deployment,) = (m for m in rendered if m["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    source = (paths.ROOT / "goapp" / "internal" / "config" / "flags.go").read_text()
    flags = set(re.findall(r'flags\.\w+\([^"]*"([a-z-]+)"', source))
    names = [e["name"] for e in container.get("env", []) if not e["name"].startswith("OTEL_")]  # OpenTelemetry's own
    used = {name.removeprefix("CATALOG_").lower().replace("_", "-") for name in names}

    assert used - {"env"} <= flags  # ENV is the guide's, and goapp knows nothing of it


def test_every_treatment_that_is_named_exists() -> None:
    """In chapters, measurements, exercises and tests; those that prove an error excepted."""
    asked = {name for source in _sources() for name in _treatments(source)} - {"sunshine"}

    assert "quick-exit" in asked
    assert asked - set(app.all_treatments()) == set()


def _sources() -> Iterator[str]:
    for folder in ("kitlib", "tests"):
        yield from (file.read_text() for file in (paths.ROOT / folder).rglob("*.py"))
    for file in (paths.ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(file.read_text())["cells"]
        code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        yield from (TransformerManager().transform_cell(cell) for cell in code)  # magics are no Python


def _treatments(source: str) -> Iterator[str]:
    """The texts in every `treatments=[...]`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "treatments" and isinstance(node.value, ast.List | ast.Tuple):
            yield from (e.value for e in node.value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str))
