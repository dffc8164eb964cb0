"""The YAML files that a learner gets can be applied as they are; what is broken on purpose is listed here and says so.

`./kit test --lint` checks the same files against Kubernetes' schemas with kubeconform.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kitlib import paths
from kitlib.host import proc, tools
from kitlib.kube.client import Object
from kitlib.learning import starters
from kitlib.private_registry.files import HOST
from kitlib.supply import images
from kitlib.workloads import versions

# Files that the cluster accepts and that cannot run, as the chapter or the exercise wants it: each begins with a comment that says so.
BROKEN = {"0-start/broken.yaml", "0-start/typo.yaml", "3.2-deployment/billing-next.yaml"}
PUSHED = {f"{HOST}/shop/page:1", f"{HOST}/exercise/pull:1"}  # by chapter 2.5 and its exercise, to its own registry
PUBLISHED = {f"{images.PREFIX}/{versions.NAMED}:{tag}" for tag in versions.TAGS}
KUBERNETES = ("0-", "3", "4.4")  # chapters whose YAML is all for kubectl; others also have files for other tools
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
FILES = sorted(starters.SOURCE.rglob("*.y*ml"))


def _id(file: Path) -> str:
    return file.relative_to(starters.SOURCE).as_posix()


def _objects(file: Path) -> list[Object]:
    """The documents of a file that are objects of Kubernetes."""
    found = [document for document in yaml.safe_load_all(file.read_text(encoding="utf-8")) if document]
    return [document for document in found if _id(file).startswith(KUBERNETES) or "kind" in document]


def _pods(found: Object) -> Iterator[Object]:
    """The spec of each pod in an object: its own, or that of its template."""
    spec = found.get("spec", {})
    if found["kind"] == "Pod":
        yield spec
    elif "template" in spec:
        yield spec["template"]["spec"]


def _images(found: Object) -> set[str]:
    kinds = ("containers", "initContainers")
    return {container["image"] for pod in _pods(found) for kind in kinds for container in pod.get(kind, [])}


def _known(image: str) -> bool:
    """Whether it is one of the two releases that files name, one that a chapter pushes, or an image of the kit's catalogue.

    An image of the catalogue may have its public name, which the chapter replaces by the name that the nodes know.
    """
    catalogue = {name for it in images.catalogue().values() for name in (it.reference, it.upstream) if name}
    return image in PUBLISHED | PUSHED | catalogue


def test_there_are_files() -> None:
    """The checks below look at something."""
    assert {"3.2-deployment/deployment.yaml", "3.2-deployment/guide.yaml"} <= {_id(file) for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_each_document_is_an_object(file: Path) -> None:
    """It has a version, a kind and a valid name, and no object is in a file twice."""
    found = _objects(file)
    names = [(o["apiVersion"], o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in found]

    assert len(names) == len(set(names))
    assert [name for *_, name in names if not NAME.fullmatch(name)] == []


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_a_workload_selects_its_own_pods(file: Path) -> None:
    """The API server refuses a selector that the template's labels do not match."""
    for found in _objects(file):
        spec = found.get("spec", {})
        if "template" in spec and "matchLabels" in spec.get("selector", {}):
            assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_an_image_exists_unless_the_file_says_why_not(file: Path) -> None:
    """It is one that the kit has or publishes; a file of BROKEN has one that does not exist, or asks for what no node has."""
    unknown = {image for found in _objects(file) for image in _images(found) if not _known(image)}

    assert unknown == set() or _id(file) in BROKEN


@pytest.mark.parametrize("file", [file for file in FILES if _id(file) in BROKEN], ids=_id)
def test_a_broken_file_says_so(file: Path) -> None:
    """Its first line is a comment that says what it is for, and that it is broken."""
    first = file.read_text(encoding="utf-8").splitlines()[0]

    assert first.startswith("# ")
    assert re.search(r"\b(broken|wrong)\b", first, re.IGNORECASE)


def test_a_wrong_image_is_found() -> None:
    """The check itself tells a published release from a tag that does not exist and from a tag of another registry."""
    assert _known("kit.local/catalog:1.0") and _known("kit.local/catalog:2.0")
    assert not _known("kit.local/catalog:3.0")
    assert not _known("docker.io/library/nginx:1.25")
    assert _known(images.image("prometheus").upstream) and not _known("docker.io/prom/prometheus:v0.1.0")


@pytest.mark.parametrize("file", sorted(starters.SOURCE.rglob("*.go")), ids=_id)
def test_go_files_have_gos_layout(file: Path) -> None:
    """gofmt would change nothing in them; their chapter compiles them."""
    assert proc.run([tools.goroot() / "bin" / "gofmt", "-l", file], env=tools.go_env()) == ""


@pytest.mark.parametrize("file", sorted(starters.SOURCE.rglob("go.sum")), ids=_id)
def test_go_modules_have_the_versions_of_the_kit(file: Path) -> None:
    """A module of the kit needs the same versions, so that a chapter downloads little, and shows what the kit runs."""
    sums = {line for known in (paths.ROOT / "goapp", tools.MODULES / "exporters") for line in _lines(known / "go.sum")}
    required = {line.split(" // ")[0] for line in _lines(file.with_name("go.mod")) if re.search(r" v\d", line)}

    assert set(_lines(file)) <= sums
    assert {f"{module.removeprefix('require ')}/go.mod" for module in required} <= {
        line.rpartition(" ")[0] for line in sums
    }


def _lines(file: Path) -> list[str]:
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
