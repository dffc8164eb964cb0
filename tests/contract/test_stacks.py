"""Every stack: labels, resources, probes, and how much memory all of them take together."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from kitlib.kube import kustomize
from kitlib.kube.client import Object
from kitlib.kube.quantity import parse
from kitlib.stacks import base
from kitlib.supply import images

FOLDER = kustomize.CLUSTER / "stacks"
NAMES = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "kustomization.yaml").exists())
SIX = {f"app.kubernetes.io/{part}" for part in ("name", "instance", "version", "component", "part-of", "managed-by")}
MOST = 8 << 30  # bytes of memory, everything together


@pytest.fixture(params=NAMES)
def rendered(request: pytest.FixtureRequest) -> tuple[str, list[Object]]:
    """A stack's name and objects."""
    return request.param, kustomize.render({"resources": [f"stacks/{request.param}"]})


def _workloads(objects: list[Object]) -> list[Object]:
    return [m for m in objects if m["kind"] in base.WORKLOADS]


def _containers(objects: list[Object]) -> list[Object]:
    return [c for m in _workloads(objects) for c in m["spec"]["template"]["spec"]["containers"]]


@cache
def _every() -> list[Object]:
    """The containers of all stacks."""
    return [c for name in NAMES for c in _containers(kustomize.render({"resources": [f"stacks/{name}"]}))]


def test_every_object_belongs_to_its_stack(rendered: tuple[str, list[Object]]) -> None:
    """All six labels, the instance by which `remove` finds it, and no namespace but the stack's."""
    name, objects = rendered
    labels = [m["metadata"]["labels"] for m in objects]

    assert [SIX - found.keys() for found in labels] == len(labels) * [set()]
    assert {found["app.kubernetes.io/instance"] for found in labels} == {f"kit-{name}"}
    assert {m["metadata"].get("namespace", f"kit-{name}") for m in objects} == {f"kit-{name}"}


def test_every_container_has_bounds_and_a_probe(rendered: tuple[str, list[Object]]) -> None:
    """Requests, a limit of memory, and a readiness probe, so that `install` knows when it is ready."""
    _, objects = rendered
    without = [c["name"] for c in _containers(objects) if "readinessProbe" not in c]
    unbound = [c["name"] for c in _containers(objects) if not {"cpu", "memory"} <= c["resources"]["requests"].keys()]

    assert without == []
    assert unbound == []
    assert all("memory" in c["resources"]["limits"] for c in _containers(objects))


def test_every_image_is_one_of_the_stack(rendered: tuple[str, list[Object]]) -> None:
    """Manifests name images as images.toml does."""
    _, objects = rendered

    assert {c["image"] for c in _containers(objects)} <= images.catalogue().keys()


def test_an_images_stack_is_a_stack() -> None:
    """The recipe that makes the image available exists."""
    assert {it.stack for it in images.catalogue().values() if it.stack} <= set(NAMES)


def test_what_is_not_restricted_says_why(rendered: tuple[str, list[Object]]) -> None:
    """A namespace that is not `restricted` has a comment with the reason."""
    name, objects = rendered
    (namespace,) = (m for m in objects if m["kind"] == "Namespace")
    level = namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    (file,) = (FOLDER / name).glob("*-namespace.yaml")

    assert level == "restricted" or file.read_text().startswith("# ")


def test_files_hold_what_their_names_say() -> None:
    """component-kind.yaml, for every manifest of every stack."""
    files = [file for name in NAMES for file in _resources(FOLDER / name)]
    wrong = [str(f) for f in files if f.stem.rpartition("-")[2] != _kind(f)]

    assert files
    assert wrong == []


def test_all_stacks_fit_into_eight_gibibytes() -> None:
    """The limits of memory of everything at once, on one node."""
    total = sum(parse(c["resources"]["limits"]["memory"]) for c in _every())

    assert 0 < total <= MOST


@pytest.mark.parametrize(
    "script", sorted(FOLDER.parent.glob("images/*/entrypoint.sh")), ids=lambda file: file.parent.name
)
def test_an_entrypoint_hands_every_setting_on(script: Path, tmp_path: Path) -> None:
    """Each variable that a manifest sets for an image reaches the program that its entrypoint starts, also one with a dot in its name."""
    using = [c for c in _every() if images.image(c["image"]).recipe == script.parent.name]
    wanted = {entry["name"]: entry.get("value", "x") for c in using for entry in c.get("env", [])}
    entrypoint = tmp_path / "entrypoint"
    shutil.copy(script, entrypoint)
    entrypoint.chmod(0o755)
    ran = subprocess.run(
        [entrypoint, "env", "-0"], env={"PATH": "/usr/bin:/bin", **wanted}, capture_output=True, check=True
    )
    found = dict(entry.split("=", 1) for entry in ran.stdout.decode().split("\0") if entry)

    assert using
    assert {name: found.get(name) for name in wanted} == wanted


def _resources(folder: Path) -> Iterator[Path]:
    """Its manifests, and those of the folders that it is put together from."""
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        if (folder / name).is_dir():
            yield from _resources(folder / name)
        else:
            yield folder / name


def _kind(file: Path) -> str:
    return str(yaml.safe_load(file.read_text())["kind"]).lower()
