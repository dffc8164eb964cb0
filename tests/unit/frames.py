"""Runs frames as an experiment would leave them, one builder a claim, for the tests of rules, verdicts and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kitlib.claims.register import claim
from kitlib.claims.verdict import Verdict

Values = Sequence[float]


def rows(claim_id: str, column: str, metric: str, values: Mapping[str, Values], unit: str) -> list[dict[str, Any]]:
    same = {"started_at": "2026-01-01T00:00:00.000+00:00", "profile": "quick", "run": "r", "stamp": "0123456789ab"}
    return [
        {"claim": claim_id, "metric": metric, column: level, "repeat": i, "value": float(value), "unit": unit, **same}
        for level, measured in values.items()
        for i, value in enumerate(measured, 1)
    ]


def sizes(single: Values, multi: Values) -> pd.DataFrame:
    values = {"single-stage": single, "guide-2.2": multi}
    compressed = {level: [v / 3 for v in some] for level, some in values.items()}
    found = rows("2.2-size", "dockerfile", "size", values, "B")
    return pd.DataFrame(found + rows("2.2-size", "dockerfile", "compressed", compressed, "B"))


def figures(single: float, multi: float, base: float) -> pd.DataFrame:
    values = {"single-stage": [single], "guide-2.3": [multi], "base": [base], "scratch": [9e6]}
    return pd.DataFrame(rows("2.3-numbers", "image", "size", values, "B"))


def starts(guide: Values) -> pd.DataFrame:
    return pd.DataFrame(rows("2.3-dynamic", "dockerfile", "starts", {"guide-2.3": guide, "fixed": [1, 1]}, "0/1"))


def rebuilds(nothing: Values) -> pd.DataFrame:
    """Seconds of builds after no change, against cold ones of 10 s each."""
    values = {"cold": [10.0] * len(nothing), "nothing": nothing}
    return pd.DataFrame(rows("2.1-cache", "change", "seconds", values, "s"))


SURFACE = ("executables", "setuid", "packages", "shells", "components")


def surface(**changes: Values) -> pd.DataFrame:
    """Three images in order of size; every metric rises with it, unless changed."""
    metrics: dict[str, Values] = {"size": [9e6, 20e6, 800e6], **dict.fromkeys(SURFACE, (1, 2, 30)), **changes}
    images = ("scratch", "alpine", "single-stage")
    return pd.DataFrame(
        row
        for metric, values in metrics.items()
        for row in rows(
            "2.3-surface",
            "image",
            metric,
            {i: [v] for i, v in zip(images, values, strict=True)},
            "B" if metric == "size" else "count",
        )
    )


def startup(seconds_per_100mb: float, noise: float = 0.05, repeats: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    mb = {"scratch": 4.0, "alpine": 8.0, "single-stage": 300.0}
    seconds = {i: list(5 + size / 100 * seconds_per_100mb + rng.normal(0, noise, repeats)) for i, size in mb.items()}
    found = rows("2.3-startup", "image", "ready_seconds", seconds, "s")
    return pd.DataFrame(found + rows("2.3-startup", "image", "compressed_mb", {i: [s] for i, s in mb.items()}, "MB"))


def judge(runs: pd.DataFrame) -> Verdict:
    return claim(str(runs["claim"].iloc[0])).verdict(runs)
