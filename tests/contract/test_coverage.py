"""docs/coverage.md: each listing, table and diagram of the article has a place in the kit, and the place exists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from kitlib import paths
from tests.contract import names

PAGE = paths.ROOT / "docs" / "coverage.md"
NOTEBOOKS = paths.ROOT / "notebooks"
# what the article has, section by section, in its order
ARTICLE = {
    "1-go-basics": (
        "listing: a file that is closed by a deferred call",
        "listing: a message from a goroutine",
        "table: commands of Go",
    ),
    "2.1-docker-concepts": (
        "listing: a Dockerfile of a web server",
        "diagram: client, daemon, images and containers",
    ),
    "2.2-dockerfile": ("listing: a Dockerfile of a Go service",),
    "2.3-multi-stage": (
        "listing: a stage that builds and a stage that runs",
        "table: sizes of images with one stage and with two",
        "diagram: from source code to a deployment",
    ),
    "2.4-debugging": (
        "listing: a Dockerfile in two stages",
        "listing: a Compose file that starts Delve",
        "table: options of Delve",
        "diagram: the loop of local development",
    ),
    "2.5-registry": (
        "listing: an image gets a name for its registry",
        "listing: a push",
        "listing: a login",
        "table: kinds of registries",
        "diagram: from a build to a deployment",
    ),
    "3.1-architecture": (
        "listing: a Pod with one container",
        "table: Pod, Service and Deployment",
        "diagram: from a manifest to a running pod",
    ),
    "3.2-deployment": (
        "listing: a Deployment with three replicas",
        "listing: a liveness and a readiness probe",
    ),
    "3.3-service-ingress": (
        "listing: a Service",
        "listing: an Ingress with a rewrite",
        "table: Service and Ingress",
        "diagram: from a client to a pod",
    ),
    "4.1-logging": (
        "listing: a ConfigMap with a filter of Fluent Bit",
        "diagram: from a container to a search",
    ),
    "4.2-metrics": (
        "listing: a scrape configuration",
        "diagram: from an application to panels and alerts",
    ),
    "4.3-tracing": (
        "listing: an exporter for Jaeger and a sampler",
        "diagram: from a service to the pages of Jaeger",
    ),
    "4.4-probes": (
        "listing: a liveness probe with all its fields",
        "diagram: from a failed probe to a new container",
    ),
    "4.5-one-request": (),
    "9-verdicts": (),
}
SIGNS = {"table": "\n|---", "diagram": "```mermaid"}  # by which prose shows that it has one


@dataclass(frozen=True)
class Row:
    """One row of the page.  file: of the learner's files, if any; headings and cells: where in the chapter."""

    chapter: str
    what: str
    file: Path | None
    headings: tuple[str, ...]
    cells: tuple[str, ...]


def _rows() -> list[Row]:
    rows = []
    for section in PAGE.read_text().split("\n## ")[1:]:
        found = re.search(r"\.\./notebooks/([\w.-]+)\.ipynb", section)
        assert found, f"no chapter is linked below {section.splitlines()[0]}"
        cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
        rows += [_row(found[1], *row) for row in cells]
    return rows


def _row(chapter: str, what: str, file: str, place: str) -> Row:
    linked = re.search(r"\]\(\.\./([^)]+)\)", file)
    return Row(
        chapter,
        what,
        paths.ROOT / linked[1] if linked else None,
        tuple(re.findall(r"(?<!\*)\*([^*]+)\*", place)),
        tuple(re.findall(r"`([^`]+)`", place)),
    )


def _below(chapter: str, heading: str) -> str:
    """The prose below a heading of a chapter, up to the next heading; empty when there is no such heading."""
    prose = "\n\n".join(names.cells(NOTEBOOKS / f"{chapter}.ipynb", "markdown"))
    parts = re.split(r"^#+ (.+)$", prose, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True)).get(heading, "")


ROWS = _rows()
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.chapter}: {row.what}")


@pytest.mark.parametrize("chapter", ARTICLE)
def test_everything_in_the_article_has_a_row(chapter: str) -> None:
    """The page lists what the article's section has, in the article's order, and a chapter of that section."""
    assert tuple(row.what for row in ROWS if row.chapter == chapter) == ARTICLE[chapter]


@EACH
def test_a_file_is_there_and_the_chapter_uses_it(row: Row) -> None:
    """A listing is a file of its chapter, and a cell names it."""
    if row.file is None:
        assert not row.what.startswith("listing")
        return
    code = "\n".join(names.cells(NOTEBOOKS / f"{row.chapter}.ipynb", "code"))

    assert row.file.is_file()
    assert row.file.parent == NOTEBOOKS / "files" / row.chapter
    assert row.file.name in code


@EACH
def test_a_place_is_in_the_chapter(row: Row) -> None:
    """Its headings are the chapter's, and each cell that it quotes is there as quoted; one of the two is named."""
    code = names.cells(NOTEBOOKS / f"{row.chapter}.ipynb", "code")

    assert row.headings or row.cells
    assert [heading for heading in row.headings if not _below(row.chapter, heading)] == []
    assert [quoted for quoted in row.cells if not any(quoted in cell for cell in code)] == []


@EACH
def test_a_table_or_a_diagram_is_below_its_heading(row: Row) -> None:
    """The prose below one of the headings has a table, or a diagram."""
    sign = SIGNS.get(row.what.partition(":")[0])

    assert sign is None or any(sign in _below(row.chapter, heading) for heading in row.headings)
