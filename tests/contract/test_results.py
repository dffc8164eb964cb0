"""docs/rows: each published figure has its rows, and the pages show what follows from them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from kitlib import paths
from kitlib.claims import register as claims
from kitlib.claims import rows
from kitlib.claims.stamp import stamp_id
from kitlib.dev import published
from kitlib.dev.reference import DIRTY, FOLDER, Reference

KEPT = Reference()
CLAIMS = tuple(claim.id for claim in claims.register())


def test_every_claim_has_rows_and_nothing_else_has() -> None:
    """One file per claim of the register, and the minutes of each chapter."""
    files = {file.name.partition(".jsonl")[0] for file in FOLDER.glob("*.jsonl.gz")}
    assert files == set(CLAIMS)
    assert set(KEPT.minutes) == {claim.chapter for claim in claims.register()}


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_rows_of_a_claim_are_of_one_full_run_of_a_commit(claim: str) -> None:
    """A sceptic can repeat the run: its profile, its commit and its environment are in the file."""
    lines = list(rows.lines(claim, file=KEPT.file(claim)))
    measured = [line for line in lines if line["kind"] == "row"]
    environments = KEPT.environments(claim)

    assert len({line["run"] for line in lines if "run" in line}) == 1
    assert {line["profile"] for line in measured} <= {"full"}
    assert {line["stamp"] for line in measured} <= set(environments)
    for stamp, environment in environments.items():
        assert stamp == stamp_id(environment)
        assert environment["kit_commit"] and not environment["kit_commit"].endswith(DIRTY)


def test_pages_and_pictures_are_those_of_the_rows() -> None:
    """`./kit results --check` finds no difference."""
    assert published.run(check=True) == 0


@pytest.mark.parametrize("name", published.PICTURES)
def test_a_picture_is_a_file_that_a_browser_draws(name: str) -> None:
    """As an image, it needs SVG's namespace."""
    root = ElementTree.parse(paths.ROOT / "docs" / name).getroot()

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
