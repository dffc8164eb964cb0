"""What the documents say is what there is."""

import re
import shlex
import tomllib

import pytest
import yaml

from kitlib import claims, cli, images, paths, tools

DOCUMENTS = ["README.md", "CONTRIBUTING.md"]


def test_conda_has_the_same_pins() -> None:
    """environment.yml lists exactly the dependencies of pyproject.toml."""
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((paths.ROOT / "environment.yml").read_text())["dependencies"]

    assert project["dependencies"] == conda[-1]["pip"]
    assert f"python{project['requires-python']}" == conda[0]


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
        for block in re.findall(r"```sh\n(.*?)```", (paths.ROOT / document).read_text(), re.DOTALL):
            found += [line.partition("#")[0].strip() for line in block.splitlines() if "./kit" in line]
    return found


@pytest.mark.parametrize("line", _commands())
def test_commands_of_the_documents_exist(line: str) -> None:
    """Every `./kit ...` in a document is accepted by the command line."""
    words = shlex.split(line)
    start = words.index("./kit") + 1

    assert cli.parser().parse_args(words[start:]).call


def test_the_readme_has_the_reference_run_of_every_claim() -> None:
    """Each claim has one row, and its verdict is the one that the register expects."""
    table = re.findall(r"^\| (\S+) \| \*\*(\S+)\*\* \|", (paths.ROOT / "README.md").read_text(), re.MULTILINE)

    assert table == [(claim.id, claim.expected) for claim in claims.register()]


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
