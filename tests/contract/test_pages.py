"""The first page and the pages of docs/: short, named once, linked, and each link leads somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitlib import cli, paths
from kitlib.runner.chapters import chapters

README = paths.ROOT / "README.md"
DOCS = sorted((paths.ROOT / "docs").glob("*.md"))
PAGES = [README, paths.ROOT / "CONTRIBUTING.md", paths.ROOT / "CHANGELOG.md", *DOCS]
NAME = "Cloud-native Go kit"
README_LINES = 150


def _prose(page: Path) -> str:
    """The page without blocks of code and comments: in them, brackets are not links, and # does not start a heading."""
    return re.sub(r"^```.*?^```|<!--.*?-->", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """The file and the anchor of each relative link and picture."""
    for target in re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`\n]*`", "", _prose(page))):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield ((page.parent / file).resolve() if file else page), anchor


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub and JupyterLab make of the headings."""
    titles = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_resolves(page: Path) -> None:
    """The file exists in the checkout; of a Markdown page, the anchor is one of its headings."""
    missing = [
        f"{file.name}#{anchor}"
        for file, anchor in _links(page)
        if not (file.exists() and paths.ROOT in file.parents and (not anchor or anchor in _anchors(file)))
    ]

    assert missing == []


def test_every_page_is_linked_from_the_first() -> None:
    """A reader who starts at README reaches each page of docs/ with one click."""
    linked = {file for file, _ in _links(README)}

    assert [page.name for page in PAGES[1:] if page not in linked] == []


def test_every_page_has_one_title() -> None:
    """One heading of the first level, in the first line."""
    titles = {page.name: re.findall(r"^# .+$", _prose(page), re.MULTILINE) for page in PAGES}

    assert [name for name, found in titles.items() if len(found) != 1] == []
    assert [page.name for page in PAGES if not page.read_text().startswith("# ")] == []


def test_the_first_page_is_short() -> None:
    """README has at most 150 lines."""
    assert len(README.read_text().splitlines()) <= README_LINES


def test_the_project_has_one_name() -> None:
    """README, the package and the command line call it by the same name."""
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]

    assert README.read_text().startswith(f"# {NAME}\n")
    assert project["name"] == "cloudnative-go-kit"
    assert project["description"].startswith(f"{NAME}: ")
    assert str(cli.parser().description).startswith(f"{NAME}: ")


def test_the_map_has_every_chapter() -> None:
    """One row per chapter, in reading order."""
    listed = re.findall(r"^\| \[[^]]+\]\((notebooks/[^)]+)\)", README.read_text(), re.MULTILINE)

    assert listed == [str(chapter.path.relative_to(paths.ROOT)) for chapter in chapters()]


def test_results_begin_with_a_warning() -> None:
    """A learner who opens the page is warned before the first verdict."""
    text = (paths.ROOT / "docs" / "results.md").read_text()

    assert text.split("\n\n")[1].startswith("**Warning: this page gives away")


def test_the_first_page_repeats_results_correctly() -> None:
    """Each figure of the three results is in the row of its claim in docs/results.md."""
    results = (paths.ROOT / "docs" / "results.md").read_text()
    rows = dict(re.findall(r"^\| (\S+) \| (\*\*.+)$", results, re.MULTILINE))
    section = README.read_text().partition("## Three results")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| .+? \| (\*\*\w+\*\*) \| (.+) \|$", section, re.MULTILINE)

    assert len(shown) == 3
    for (verdict, measured), claim in zip(shown, ("2.2-size", "2.3-startup", "3.2-rolling"), strict=True):
        assert verdict in rows[claim]
        figures = [f.removesuffix("0") if "." in f else f for f in re.findall(r"\d+(?:\.\d+)?", measured)]
        assert [f for f in figures if f not in rows[claim]] == []
