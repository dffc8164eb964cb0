"""What the documents say is what there is."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from kitlib import cli, paths
from kitlib.claims import register as claims
from kitlib.host import tools
from kitlib.supply import images

DOCUMENTS = [paths.ROOT / "README.md", paths.ROOT / "CONTRIBUTING.md", *sorted((paths.ROOT / "docs").glob("*.md"))]


def test_conda_has_the_same_pins() -> None:
    """environment.yml lists the dependencies of pyproject.toml, and the kit itself, by which papermill finds its engine."""
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((paths.ROOT / "environment.yml").read_text())["dependencies"]

    assert ["-e .", *project["dependencies"]] == conda[-1]["pip"]
    assert project["entry-points"]["papermill.engine"] == {"kit": "kitlib.runner.headless:KitEngine"}


def test_conda_has_the_tested_python() -> None:
    """conda installs the version that types and tests are checked for, which is the oldest that the project allows."""
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())
    conda = yaml.safe_load((paths.ROOT / "environment.yml").read_text())["dependencies"]
    tested = project["tool"]["mypy"]["python_version"]

    assert conda[0] == f"python={tested}"
    assert project["project"]["requires-python"] == f">={tested}"


def test_plain_papermill_finds_the_engine(tmp_path: Path) -> None:
    """In another folder than the checkout's, kitlib and papermill's engine `kit` are there, as installed."""
    code = "from papermill.engines import papermill_engines as e; e.register_entry_points(); print(e.get_engine('kit').__module__)"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "kitlib.runner.headless"


def test_lock_has_every_dependency() -> None:
    """requirements.lock pins, with hashes, what pyproject.toml asks for."""
    lock = (paths.ROOT / "requirements.lock").read_text()
    wanted = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pinned = set(re.findall(r"^(\S+==\S+)", lock, re.MULTILINE))

    assert {w for w in wanted if "==" in w} <= pinned
    assert lock.count("--hash=sha256:") >= len(pinned)


def _commands() -> list[str]:
    found = []
    for document in DOCUMENTS:
        for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
            found += [line.partition("#")[0].strip() for line in block.splitlines() if "./kit" in line]
    return found


@pytest.mark.parametrize("line", _commands())
def test_commands_of_the_documents_exist(line: str) -> None:
    """Every `./kit ...` in a document is accepted by the command line."""
    words = shlex.split(line)
    start = words.index("./kit") + 1

    assert cli.parser().parse_args(words[start:]).call


def test_the_results_have_the_reference_run_of_every_claim() -> None:
    """Each claim has one row in docs/results.md, and its verdict is the one that the register expects."""
    table = re.findall(
        r"^\| (\S+) \| \*\*([^*|]+)\*\* \|", (paths.ROOT / "docs" / "results.md").read_text(), re.MULTILINE
    )

    assert table == [(claim.id, claim.expected.replace("-", " ")) for claim in claims.register()]


@pytest.mark.parametrize("name", [name for name, it in images.catalogue().items() if it.recipe])
def test_an_image_has_its_recipe(name: str) -> None:
    """Every image has a recipe that can be built: a Dockerfile or a root file system, bases and modules that exist."""
    image, recipe = images.image(name), images.recipe(name)

    assert (image.folder / "Dockerfile").exists() or recipe.rootfs
    assert set(image.args.values()) <= images.catalogue().keys()
    assert set(recipe.modules) <= tools.modules().keys()


def test_a_recipe_is_in_the_catalogue() -> None:
    """No recipe is left over that no image uses."""
    folders = {f.name for f in images.RECIPES.iterdir()}

    assert folders == {image.recipe for image in images.catalogue().values() if image.recipe}


@pytest.mark.parametrize("name", tools.modules())
def test_a_module_is_pinned(name: str) -> None:
    """Every Go module has a version and committed checksums."""
    module = tools.modules()[name]

    assert module.version
    assert (module.folder / "go.sum").read_text() or not module.of


def test_no_registry_host_is_named() -> None:
    """Locks and recipes name packages, not the hosts they come from: users behind mirrors must not have to edit files."""
    hosts = re.compile(r"pypi\.org|pythonhosted|proxy\.golang|deb\.debian|npmjs\.(org|com)|maven\.org")
    for folder in ("cluster", "kitlib", "goapp", "notebooks"):
        for file in (paths.ROOT / folder).rglob("*"):
            if file.is_file() and file.suffix not in (".pyc", ".sum"):
                assert not hosts.search(file.read_text(errors="ignore")), file
    assert not hosts.search((paths.ROOT / "requirements.lock").read_text())
