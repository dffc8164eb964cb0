"""All claims, each with the verdict of its newest rows."""

from __future__ import annotations

import pandas as pd

from kitlib import claims, experiments
from kitlib.errors import ClaimError
from kitlib.predictions import predict
from kitlib.stats import quantity
from kitlib.verdict import Verdict, not_measurable


def verdicts() -> pd.DataFrame:
    """One row a claim: verdict, n, median, IQR, the learner's prediction, profile, stamp, reading."""
    return pd.DataFrame([_row(c, _verdict(c)) for c in claims.register()]).set_index("claim")


def _verdict(claim: claims.Claim) -> Verdict:
    rows = experiments.load(claim.id)
    if rows.empty:
        return not_measurable(claim, f"not measured yet: run {claim.chapter}.ipynb")
    try:
        return claim.verdict(rows)
    except ClaimError as e:
        return not_measurable(claim, e.message)


def _row(claim: claims.Claim, v: Verdict) -> dict[str, object]:
    return {
        "claim": claim.id,
        "verdict": v.verdict,
        "expected": v.expected,
        "n": v.n,
        "median": _shown(v.median, v.unit),
        "IQR": _shown(v.iqr, v.unit),
        "you predicted": predict(claim).choice or "",
        "profile": v.profile,
        "stamp": v.stamp,
        "reading": v.reading,
    }


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else quantity(value, unit)
