"""From where on is one way as good as another?  Each verdict of the rule, from rows alone, and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitlib.claims.register import Claim
from kitlib.errors import ClaimError
from kitlib.views.plots import plot
from tests.unit.frames import rows

RULE = {
    "kind": "crossover",
    "column": "way",
    "of": "channel",
    "against": "mutex",
    "metric": "rate",
    "along": "work_us",
    "each": "goroutines",
    "within": 0.1,
}
RATES = dict[int, dict[int, list[float]]]  # goroutines -> work -> repeats


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


def _claim() -> Claim:
    words: dict[str, Any] = {"section": "0", "chapter": "x", "title": "t", "says": "s", "metric": "rate"}
    return Claim(id="x-1", **words, unit="million/s", rule=RULE, expected="holds", deterministic=True)


def _frame(channel: RATES, mutex: float = 10.0) -> pd.DataFrame:
    found = []
    for goroutines, along in channel.items():
        for work, values in along.items():
            levels = {"channel": values, "mutex": [mutex] * len(values)}
            made = rows("x-1", "way", "rate", levels, "million/s")
            found += [row | {"goroutines": goroutines, "work_us": work} for row in made]
    return pd.DataFrame(found)


@pytest.mark.parametrize(
    ("channel", "word"),
    [
        ({1: {0: [9.5], 10: [10]}, 8: {0: [12], 10: [9]}}, "holds"),
        ({1: {0: [1], 10: [10]}, 8: {0: [1], 10: [2]}}, "depends"),
        ({1: {0: [1], 10: [8.9]}, 8: {0: [1], 10: [2]}}, "refuted"),
    ],
)
def test_at_every_level_at_some_at_none(channel: RATES, word: str) -> None:
    """Within the bound of the other way, or above it."""
    assert word == _claim().verdict(_frame(channel)).verdict


def test_the_reading_says_from_where_on() -> None:
    """The least work from which the way stays as good; a way that falls back again has not crossed before that."""
    found = _claim().verdict(_frame({1: {0: [1, 2, 3], 1: [10, 10, 10], 10: [4, 4, 4], 100: [9, 9, 9]}, 8: {0: [2]}}))

    assert "within 10 % of mutex from 100 work_us on (goroutines: 1)" in found.reading
    assert "nowhere with goroutines: 8" in found.reading
    assert (found.n, found.unit, found.reason) == (13, "% of mutex", "on work_us and goroutines")
    assert (found.median, found.iqr) == (None, None)
    each = {s.treatment: (s.n, s.median, s.unit) for s in found.treatments}
    assert each["channel · 1 · 0"] == (3, 2, "million/s")
    assert each["mutex · 8 · 0"] == (1, 10, "million/s")


def test_a_missing_side_is_said() -> None:
    """A level that only one of the ways was measured at cannot be compared."""
    frame = _frame({1: {0: [1.0], 10: [2.0]}})
    with pytest.raises(ClaimError, match="way=mutex"):
        _claim().verdict(frame[(frame["way"] != "mutex") | (frame["work_us"] == 0)])


def test_words_say_what_is_asked() -> None:
    """Before anything is measured, a reader knows what will be judged."""
    assert "within 10 % of that of mutex" in _claim().rule_in_words


def test_the_plot_has_a_panel_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ratios in the picture's words, medians in its table."""
    for place in ("kitlib.views.plots.claim", "kitlib.views.plots.crossing.claim"):
        monkeypatch.setattr(place, lambda _: _claim())
    drawn = plot(_frame({1: {0: [1.0], 10: [9.0]}, 8: {0: [2.0], 10: [12.0]}}))

    assert "channel with goroutines 1: 10 %, 90 %; channel with goroutines 8: 20 %, 120 %." in drawn.alt
    assert len(drawn.table) == 8
    assert "goroutines 8" in drawn.svg
