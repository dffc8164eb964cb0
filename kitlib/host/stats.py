"""Median, quartiles and bootstrap intervals; and how a number is written with its unit.

Quartiles are numpy's default (linear between order statistics).  Every bootstrap has a fixed seed: the same values give
the same interval.  scipy.stats is imported where it is used: it takes half a second, and the command line does not need it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = Sequence[float] | npt.NDArray[np.float64]

RESAMPLES = 2000
SEED = 20  # any fixed number


def median(values: Values) -> float:
    """The median; NaN of nothing."""
    return float(np.median(values)) if len(values) else float("nan")


def iqr(values: Values) -> float:
    """The interquartile range q3 - q1; 0 of one value, NaN of nothing."""
    if not len(values):
        return float("nan")
    q1, q3 = np.quantile(values, [0.25, 0.75])
    return float(q3 - q1)


def interval(
    values: Values, statistic: Callable[..., Any] = np.median, *, confidence: float = 0.95, seed: int = SEED
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of `statistic(values, axis=)`; None below two values: nothing to resample."""
    if len(values) < 2:
        return None
    from scipy.stats import bootstrap

    result = bootstrap(
        (np.asarray(values, dtype=float),),
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


@dataclass(frozen=True)
class Sample:
    """The measured values of one treatment; median and iqr are in `unit`.  yes: of a 0/1 unit, how many of the n values are 1."""

    treatment: str
    n: int
    median: float
    iqr: float
    unit: str
    yes: int | None = None


def summary(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """One row per group of a runs frame: the `by` columns, n, median, iqr, q1, q3 of `value`, ordered by median."""
    rows = [
        dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True)) | _five(group["value"].to_numpy(float))
        for key, group in frame.groupby(list(by), sort=False)
    ]
    table = pd.DataFrame(rows, columns=[*by, "n", "median", "iqr", "q1", "q3"])
    return table.sort_values("median", kind="stable", ignore_index=True)


def _five(values: npt.NDArray[np.float64]) -> dict[str, float]:
    q1, q3 = np.quantile(values, [0.25, 0.75])
    return {"n": len(values), "median": median(values), "iqr": float(q3 - q1), "q1": float(q1), "q3": float(q3)}


@dataclass(frozen=True)
class Slope:
    """A line through trials, with its bootstrap resamples.  slopes, intercepts: one entry per resample."""

    value: float
    intercept: float
    slopes: npt.NDArray[np.float64]
    intercepts: npt.NDArray[np.float64]

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The percentile bootstrap interval of the slope: its lower and its upper end."""
        low, high = np.quantile(self.slopes, _tails(confidence))
        return float(low), float(high)

    def band(self, x: npt.NDArray[np.float64], confidence: float = 0.95) -> npt.NDArray[np.float64]:
        """Lower and upper edge of the line at each x; shape (2, len(x))."""
        edges: npt.NDArray[np.float64] = np.quantile(
            self.intercepts[:, None] + self.slopes[:, None] * x, _tails(confidence), axis=0
        )
        return edges


def slope(x: Values, y: Values, *, min_repeats: int = 2, seed: int = SEED) -> Slope | None:
    """Least-squares line of y on x, bootstrapped by resampling the trials of each x among themselves.

    The x are sizes that the experiment set, so that every resample keeps all of them; drawn freely, one in ten small samples
    would miss the one large image that the slope hangs on.  None when x does not vary, or some x has too few repeats.
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    levels, counts = np.unique(xs, return_counts=True)
    if len(levels) < 2 or counts.min() < max(2, min_repeats):
        return None
    from scipy.stats import bootstrap

    ordered = np.repeat(levels, counts)
    centred = ordered - ordered.mean()

    def fit(*groups: npt.NDArray[np.float64], axis: int = -1) -> npt.NDArray[np.float64]:
        trials = np.concatenate(groups, axis=axis)
        slopes = trials @ centred / (centred @ centred)
        return np.stack([slopes, trials.mean(axis=axis) - slopes * ordered.mean()])

    groups = [ys[xs == level] for level in levels]
    rng = np.random.default_rng(seed)
    result = bootstrap(groups, fit, vectorized=True, n_resamples=RESAMPLES, method="percentile", rng=rng)
    value, intercept = fit(*groups)
    return Slope(float(value), float(intercept), *result.bootstrap_distribution)


def _tails(confidence: float) -> list[float]:
    return [(1 - confidence) / 2, (1 + confidence) / 2]


BYTES = {"B", "byte", "bytes"}
YES_NO = "0/1"
P_VALUE = "p"
SHARE = "share"
BARE = {"", "count", YES_NO, P_VALUE}
SMALL = 0.0005  # below it, three digits after the point show nothing


def scale(unit: str) -> tuple[float, str]:
    """Divisor and name of the unit that people read: bytes in MB of 10^6, as the guide and Docker count them."""
    return (1e6, "MB") if unit in BYTES else (1.0, "" if unit in BARE else unit)


def quantity(value: float, unit: str) -> str:
    """A number with its unit, in three significant digits or whole: '14.9 MB', '0.42 s', '1204 lines'.

    A 0/1 unit is 'yes', 'no', or the share of yes; a p-value is 'p = 0.48' or 'p < 0.001'; bytes below 100 kB are in kB.
    """
    if unit == YES_NO and value in (0, 1):
        return "yes" if value else "no"
    if unit == P_VALUE:
        return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
    if unit in (YES_NO, SHARE):
        value, unit = 100 * value, "%"
    divisor, name = (1e3, "kB") if unit in BYTES and 0 < abs(value) < 1e5 else scale(unit)
    return f"{_digits(value / divisor)} {name}".strip()


def _digits(number: float) -> str:
    """Three significant digits, or whole; what rounds to nothing is 0, or below 0.001 where it is not exactly 0."""
    if 0 < abs(number) < SMALL:
        return "<0.001" if number > 1e-9 else "0"
    return f"{number:.0f}" if abs(number) >= 100 or number == round(number) else f"{number:.3g}"
