"""What decides an image, and what it is called: in a copy of the recipes, with a CA bundle of the test's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from kitlib import paths
from kitlib.errors import InputError, SupplyError, UsageError
from kitlib.host import tools
from kitlib.supply import choice as supply
from kitlib.supply import images

CACHED = (images.catalogue, images.inputs, tools.modules, supply.choose)


def forget() -> None:
    """As in a new process."""
    for function in CACHED:
        function.cache_clear()


def inputs() -> dict[str, str]:
    forget()
    return {name: images.inputs(name) for name, it in images.catalogue().items() if it.recipe}


def changed_by(file: Path) -> set[str]:
    """The images that are new when a file changes, or appears."""
    before = inputs()
    with file.open("a") as f:
        f.write("\n# changed\n")
    after = inputs()
    return {name for name in before if before[name] != after[name]}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout with nothing but the recipes, the modules and the program."""
    for folder in ("cluster/images", "cluster/modules", "goapp"):
        shutil.copytree(paths.ROOT / folder, tmp_path / folder)
    shutil.copy(paths.ROOT / "cluster/images.toml", tmp_path / "cluster")
    (tmp_path / "ca.crt").write_text("a certificate")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(images, "RECIPES", tmp_path / "cluster/images")
    monkeypatch.setattr(tools, "MODULES", tmp_path / "cluster/modules")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KIT_SUPPLY", "packages")
    forget()
    yield tmp_path
    forget()


BUILT = {name for name, it in images.catalogue().items() if it.recipe}
GOAPPS = {name for name in images.catalogue() if name.startswith("goapp-")}


def _bases(name: str) -> set[str]:
    """The image, what it stands on, and what that stands on."""
    return {name}.union(*map(_bases, images.catalogue()[name].args.values()))


ON_GOLANG = {name for name in BUILT if "golang" in _bases(name)}
ON_ALPINE = {name for name in BUILT if "alpine" in _bases(name)}


def test_same_files_are_the_same_inputs() -> None:
    """Inputs are 12 hex digits, different for each image, and the same for the same files."""
    found = inputs()

    assert inputs() == found
    assert len(set(found.values())) == len(found)
    assert [v for v in found.values() if len(v) != 12 or set(v) - set("0123456789abcdef")] == []


@pytest.mark.parametrize(
    ("file", "images"),
    [
        ("cluster/images/goapp-scratch/Dockerfile", {"goapp-scratch"}),
        ("cluster/images/registry/config.yml", {"registry"}),
        ("cluster/images/node/rootfs/etc/a-new-file", {"node"}),
        ("cluster/images/golang/recipe.toml", ON_GOLANG),
        ("cluster/images/alpine/Dockerfile", ON_ALPINE),
        ("cluster/images/debian/recipe.toml", BUILT - {"registry"}),  # that one is from scratch
        ("cluster/modules/etcd/go.sum", {"node"}),
        ("cluster/modules/kind/go.sum", set()),
        ("goapp/go.mod", GOAPPS),
        ("goapp/internal/catalog/new.go", GOAPPS),
        ("ca.crt", ON_GOLANG),
    ],
)
def test_what_makes_an_image_new(file: str, images: set[str], root: Path) -> None:
    """A recipe's file, a base, a module, the context or the CA bundle makes new those images that are made from it."""
    assert changed_by(root / file) == images


@pytest.mark.parametrize(
    "file",
    [
        "goapp/README.md",
        "goapp/cmd/catalog/main_test.go",
        "goapp/internal/catalog/new_test.go",
        "goapp/.env",
        "cluster/images/goapp-scratch/README.md",
        "README.md",
    ],
)
def test_what_no_build_reads(file: str, root: Path) -> None:
    """Prose, tests and what .dockerignore keeps out leave every image as it is."""
    assert changed_by(root / file) == set()


def test_permission_to_execute_counts(root: Path) -> None:
    """A file that becomes executable makes the image new: its mode goes into the layer."""
    before = inputs()
    (root / "cluster/images/registry/config.yml").chmod(0o755)
    after = inputs()

    assert {name for name in before if before[name] != after[name]} == {"registry"}


def test_renamed_file_counts(root: Path) -> None:
    """A file of the same content in another place makes the image new."""
    before = inputs()["registry"]
    file = root / "cluster/images/registry/config.yml"
    file.rename(file.with_name("other.yml"))

    assert inputs()["registry"] != before


def test_packages_stand_for_upstream() -> None:
    """From packages, every image is the kit's own by name and inputs, and says which image it stands for."""
    debian = images.image("debian")

    assert debian.reference == f"kit.local/debian:{images.inputs('debian')}"
    assert images.stands_for("debian") == "docker.io/library/debian:bookworm-slim"
    assert images.describe(["debian"]) == {
        "debian": {"reference": debian.reference, "stands_for": "docker.io/library/debian:bookworm-slim"}
    }


def test_upstream_stands_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """From upstream, an image is upstream's and stands for nothing else."""
    monkeypatch.setenv("KIT_SUPPLY", "upstream")
    forget()

    assert images.image("debian").reference == "docker.io/library/debian:bookworm-slim"
    assert [name for name in images.catalogue() if images.stands_for(name)] == []


def test_the_kits_own_images_are_built_on_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image without an upstream is built whatever the supply, and is another one on other bases."""
    packages = images.image("goapp-scratch").reference
    monkeypatch.setenv("KIT_SUPPLY", "upstream")
    forget()
    upstream = images.image("goapp-scratch").reference

    assert {r.partition(":")[0] for r in (packages, upstream)} == {"kit.local/goapp-scratch"}
    assert packages != upstream
    assert images.stands_for("goapp-scratch") is None


def test_unknown_image() -> None:
    """A name that images.toml does not have is wrong usage, and the error names those that it has."""
    with pytest.raises(UsageError) as caught:
        images.image("nope")

    assert str(caught.value) == f"no image is called nope\nnext: one of {', '.join(images.catalogue())}"


def test_recipe_is_read() -> None:
    """A recipe says what it needs; without recipe.toml it needs nothing."""
    golang, registry = images.recipe("golang"), images.recipe("registry")

    assert (golang.go, golang.trust, golang.network, golang.modules) == (True, True, True, ())
    assert registry == images.Recipe(modules=("registry",))
    assert images.recipe("debian").rootfs["suite"] == "bookworm"
    assert images.recipe("goapp-scratch") == images.Recipe()


def test_unknown_key_of_a_recipe(root: Path) -> None:
    """A key that no recipe has is not passed over, and the error names the one that was meant."""
    (root / "cluster/images/registry/recipe.toml").write_text("\nnetwrok = true\n")
    with pytest.raises(InputError) as caught:
        images.recipe("registry")

    assert str(caught.value) == (
        "cluster/images/registry/recipe.toml, line 2: unknown key 'netwrok'\nnext: did you mean network?"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("go = yes", "line 1: is not TOML: Invalid value"),
        ("go = 1", "line 1: go is 1, where a bool is needed"),
        ("\nmodules = 'registry'", "line 2: modules is 'registry', where a list of str is needed"),
        ("modules = ['nope']", "line 1: no Go module is called 'nope'"),
        ("jars = ['nope']", "line 1: there is no folder cluster/jars/nope"),
        ("[rootfs]\nsuite = 'bookworm'", "include is missing"),
        ("[rootfs]\nsuit = 'bookworm'", "unknown key 'suit'"),
        (b"# \xff", "line 1: byte 0xff is not UTF-8"),
    ],
)
def test_broken_recipe(text: str | bytes, message: str, root: Path) -> None:
    """A recipe.toml that cannot be used is one line with file and line, and a next step."""
    (root / "cluster/images/registry/recipe.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        images.recipe("registry")

    assert caught.value.message.startswith("cluster/images/registry/recipe.toml, line ")
    assert message in caught.value.message
    assert len(str(caught.value).splitlines()) == 2


BAD_IMAGES = {
    "[a": "line 1: is not TOML",
    "a = 1": "line 1 (a): 'a' is no table",
    "\n[[a]]\nrecipe = 'static'": "line 2 (a): 'a' is no table",
    "[A]\nupstream = 'x'": "line 1 (A): 'A' is not a name",
    "['']\nupstream = 'x'": "line 1: '' is not a name",
    "['a/b']\nupstream = 'x'": "line 1 (a/b): 'a/b' is not a name",
    "[a]\nupstream = 'x'\n[a]\nupstream = 'y'": "line 3: is not TOML",
    "[a]\nupstream = 'x'\nrecpe = 'static'": "line 3 (a): unknown key 'recpe'",
    "[a]\nname = 'b'": "line 2 (a): unknown key 'name'",
    "[a]\nupstream = ['x']": "line 2 (a): upstream is ['x'], where a str is needed",
    "[a]\nupstream = 'x'\nargs = { B = 1 }": "line 3 (a): args is {'B': 1}, where a table of str is needed",
    "[a]\nabout = 'x'": "line 1 (a): has neither a recipe nor an upstream",
    "[a]\nrecipe = 'nope'": "line 2 (a): there is no folder cluster/images/nope",
    "[a]\nrecipe = 'static'\ncontext = 'nope'": "line 3 (a): there is no folder nope",
    "[a]\nrecipe = 'static'\nargs = { B = 'b' }": "line 3 (a): B is 'b', and no image is called so",
    "[a]\nrecipe = 'static'\nargs = { B = 'a' }": "line 3 (a): stands on itself: a → a",
    "[a]\nrecipe='static'\nargs={B='b'}\n[b]\nrecipe='static'\nargs={B='a'}": "line 3 (a): stands on itself: a → b → a",
}


@pytest.mark.parametrize("text", BAD_IMAGES)
def test_broken_catalogue(text: str, root: Path) -> None:
    """An images.toml that cannot be used is one line with file, line and entry, and a next step."""
    (root / "cluster/images.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        images.catalogue()

    assert caught.value.message.startswith("cluster/images.toml, line ")
    assert BAD_IMAGES[text] in caught.value.message
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_catalogue_that_is_no_file(kind: str, root: Path) -> None:
    """An images.toml that is not there, or is a folder, is named in one line."""
    file = root / "cluster/images.toml"
    file.unlink()
    if kind == "folder":
        file.mkdir()
    with pytest.raises(InputError, match=r"^cluster/images\.toml cannot be read: "):
        images.catalogue()


def test_recipes_fit_together(root: Path) -> None:
    """Every image has its recipe's folder, every base and module exists, and every folder is some image's."""
    names, modules = set(images.catalogue()), set(tools.modules())

    assert {it.recipe for it in images.catalogue().values() if it.recipe} == {
        p.name for p in (root / "cluster/images").iterdir()
    }
    assert {base for it in images.catalogue().values() for base in it.args.values()} <= names
    assert {module for name in BUILT for module in images.recipe(name).modules} <= modules


def test_provenance_is_labelled() -> None:
    """A built image carries its inputs, what it stands for, and the versions of its modules."""
    labels = images.labels(images.image("registry"))

    assert labels["local.kit.inputs"] == images.inputs("registry")
    assert labels["local.kit.stands-for"] == "docker.io/library/registry:3.1.2"
    assert labels["local.kit.modules"] == f"registry@{tools.modules()['registry'].version}"

    on_golang = images.labels(images.image("goapp-single-stage"))

    assert on_golang["local.kit.stands-for"] == ""  # golang's label would be inherited


def test_trust_is_the_machines(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CA bundle is SSL_CERT_FILE's, else PIP_CERT's."""
    named = images.trust()
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("PIP_CERT", str(root / "goapp/go.mod"))

    assert (named, images.trust()) == (root / "ca.crt", root / "goapp/go.mod")


@pytest.mark.parametrize("name", ["ca.crt", ""])
def test_no_trust(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a bundle, or with the name of one that is not there, there is an error with a next step, not an empty bundle."""
    monkeypatch.setenv("SSL_CERT_FILE", str(root / "not-there" / name) if name else "")
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: SimpleNamespace(cafile=None))
    with pytest.raises(SupplyError) as caught:
        images.trust()

    assert str(caught.value) == "this machine has no CA bundle\nnext: install ca-certificates, or set SSL_CERT_FILE"
