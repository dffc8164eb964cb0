"""The statistics against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kitlib.host.stats import interval, iqr, median, quantity, scale, slope, summary


def test_median_and_iqr_by_hand() -> None:
    """Of 1, 2, 3, 4, 10 the median is 3 and the quartiles are 2 and 4."""
    values = [10.0, 1.0, 4.0, 2.0, 3.0]

    assert median(values) == 3.0
    assert iqr(values) == 2.0


def test_quartiles_interpolate() -> None:
    """Of 1, 2, 3, 4 the quartiles are 1.75 and 3.25."""
    assert iqr([1.0, 2.0, 3.0, 4.0]) == pytest.approx(1.5)


def test_one_value_has_no_spread_and_no_interval() -> None:
    """A single repeat is its own median; there is nothing to resample."""
    assert median([7.0]) == 7.0
    assert iqr([7.0]) == 0.0
    assert interval([7.0]) is None


def test_nothing_is_nan() -> None:
    """No values have no median and no spread, rather than 0."""
    assert np.isnan([median([]), iqr([])]).all()


def test_interval_holds_the_median_and_repeats() -> None:
    """The bootstrap interval lies around the median, inside the data, and is the same when asked again."""
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    found = interval(values)

    assert found is not None
    assert 1.0 <= found[0] < 4.0 < found[1] <= 7.0
    assert found == interval(values)


def test_interval_of_equal_values_is_a_point() -> None:
    """Without spread the interval has no width."""
    assert interval([5.0, 5.0, 5.0]) == (5.0, 5.0)


def test_interval_narrows_with_lower_confidence() -> None:
    """A 50 % interval lies within the 95 % one."""
    values = list(np.random.default_rng(1).normal(10, 2, 40))
    wide, narrow = interval(values), interval(values, confidence=0.5)

    assert wide is not None
    assert narrow is not None
    assert wide[0] <= narrow[0] < narrow[1] <= wide[1]


def test_summary_by_hand() -> None:
    """One row per treatment, ordered by median, with n and quartiles."""
    frame = pd.DataFrame({"image": ["b", "b", "b", "a"], "value": [4.0, 6.0, 8.0, 1.0]})

    assert summary(frame, ["image"]).to_dict("records") == [
        {"image": "a", "n": 1, "median": 1.0, "iqr": 0.0, "q1": 1.0, "q3": 1.0},
        {"image": "b", "n": 3, "median": 6.0, "iqr": 2.0, "q1": 5.0, "q3": 7.0},
    ]


def test_slope_of_a_line_is_that_line() -> None:
    """Points on y = 1 + 2x give slope 2, intercept 1 and an interval of no width."""
    x = [0.0, 0.0, 1.0, 1.0, 5.0, 5.0]
    line = slope(x, [1 + 2 * v for v in x])

    assert line is not None
    assert (line.value, line.intercept) == pytest.approx((2.0, 1.0))
    assert line.interval() == pytest.approx((2.0, 2.0))
    assert line.band(np.array([3.0])) == pytest.approx(np.array([[7.0], [7.0]]))


def test_slope_is_least_squares() -> None:
    """The line agrees with numpy's least squares on noisy trials, whatever their order."""
    x = np.tile([4.0, 8.0, 290.0], 5)
    y = 1 + 0.01 * x + np.random.default_rng(3).normal(0, 0.2, 15)
    line = slope(x, y)
    expected = np.polyfit(x, y, 1)

    assert line is not None
    assert (line.value, line.intercept) == pytest.approx(tuple(expected))


def test_slope_interval_covers_the_truth() -> None:
    """Of 60 simulated experiments with a true slope of 0.01, the 95 % interval misses a few, not many."""
    x, rng = np.repeat([4.0, 8.0, 20.0, 290.0], 6), np.random.default_rng(7)
    lines = [slope(x, 1 + 0.01 * x + rng.normal(0, 0.3, len(x))) for _ in range(60)]
    hits = sum(line is not None and line.interval()[0] <= 0.01 <= line.interval()[1] for line in lines)

    assert 48 <= hits <= 60


@pytest.mark.parametrize(("x", "why"), [([3, 3, 3, 3], "x does not vary"), ([1, 1, 2], "a size has one trial")])
def test_slope_without_ground_is_none(x: list[float], why: str) -> None:
    """No line is drawn through one size, nor one whose spread cannot be seen."""
    assert slope(x, [1.0] * len(x)) is None, why


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (14_912_345, "B", "14.9 MB"),
        (851_000_000, "bytes", "851 MB"),
        (0.4213, "s", "0.421 s"),
        (1204, "count", "1204"),
        (1, "0/1", "yes"),
        (0, "0/1", "no"),
        (0.5, "0/1", "50 %"),
        (0.25, "share", "25 %"),
        (7.12e-218, "p", "p < 0.001"),
        (0.483, "p", "p = 0.48"),
        (2120, "B", "2.12 kB"),
        (0, "B", "0 MB"),
        (6.16e-08, "%", "<0.001 %"),
        (1.11e-14, "%", "0 %"),
        (97.756, "%", "97.8 %"),
    ],
)
def test_numbers_carry_their_unit(value: float, unit: str, text: str) -> None:
    """Bytes are read in MB of 10^6; counts stand bare."""
    assert quantity(value, unit) == text


def test_a_megabyte_is_a_million_bytes() -> None:
    """As the guide and Docker count."""
    assert scale("B") == (1e6, "MB")
