"""Two treatments against each other: the table and the picture say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import log1p
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from kitlib.errors import ClaimError
from kitlib.measure.workloads import rollouts
from kitlib.views.plots.base import PALETTE, Plot
from tests.unit.frames import Values, rows

FAILED: Mapping[str, Values] = {
    "drain, one more": [0, 0, 0],
    "abrupt, one more": [9, 4, 5],
    "abrupt, all at once": [90, 100, 95],
}
SECONDS: Mapping[str, Values] = {
    "drain, one more": [9.0, 9.2, 9.1],
    "abrupt, one more": [8.0, 8.0, 8.0],
    "abrupt, all at once": [3, 3, 3],
}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Three of the four cells of a grid; "drain, all at once" was not measured."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))
    found = rows("3.2-rolling", "setting", "failed", FAILED, "count")
    return pd.DataFrame(found + rows("3.2-rolling", "setting", "seconds", SECONDS, "s"))


def words(plot: Plot) -> str:
    return " ".join("".join(t.itertext()) for t in ElementTree.fromstring(plot.svg).iter() if t.tag.endswith("text"))


def test_a_cell_has_the_medians_and_one_that_was_not_measured_is_empty(runs: pd.DataFrame) -> None:
    """Rows and columns come in the given order; those that nothing was measured of are left out."""
    table = rollouts.picture(runs).table

    assert list(table.columns) == ["", "one more", "all at once"]
    assert list(table[""]) == ["drain", "abrupt"]
    assert list(table["one more"]) == ["0 failed\n9.1 s", "5 failed\n8 s"]
    assert list(table["all at once"]) == ["–", "95 failed\n3 s"]


def test_the_picture_says_what_the_table_says(runs: pd.DataFrame) -> None:
    """Every figure is text in the picture, and in what is read to those who do not see it."""
    plot = rollouts.picture(runs)

    for text in ("0 failed", "5 failed", "95 failed", "9.1 s", "drain", "abrupt", "one more", "all at once"):
        assert text in words(plot)
        assert text in plot.alt


def test_the_worst_cell_is_the_darkest(runs: pd.DataFrame) -> None:
    """Shades go from nothing to the worst by their logarithms, in one hue; the frames have the page's colour."""
    svg = rollouts.picture(runs).svg
    shades = [float(s) for s in re.findall(rf"fill: {PALETTE[1]}; opacity: ([\d.]+)", svg)]

    assert sorted(shades) == [pytest.approx(0.55 * log1p(5) / log1p(95), rel=1e-3), 0.55]  # none is not drawn at all
    assert "currentColor" in svg


def test_the_legend_is_true_on_light_and_on_dark(runs: pd.DataFrame) -> None:
    """More colour on a dark page is lighter, and on a light page darker: the legend speaks of the colour."""
    assert "the stronger the colour, the more failed (logarithmic)" in words(rollouts.picture(runs))
    assert "darker" not in words(rollouts.picture(runs))


def test_nothing_measured_is_an_error(runs: pd.DataFrame) -> None:
    """A grid of no rows would look like a grid of no failures."""
    with pytest.raises(ClaimError, match="no rows of failed or seconds"):
        rollouts.picture(runs[runs["metric"] == "latency"])
