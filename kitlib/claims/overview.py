"""All claims, each with the verdict of its newest rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kitlib.claims import register as claims
from kitlib.claims import rows
from kitlib.claims.predictions import predict
from kitlib.claims.verdict import Verdict, unmeasurable, without
from kitlib.errors import ClaimError
from kitlib.host.stats import quantity


def verdicts() -> pd.DataFrame:
    """One row per claim: verdict, n, median, IQR, the learner's prediction and whether it was right, profile, stamp, reading."""
    return pd.DataFrame([_row(c, verdict(c)) for c in claims.register()]).set_index("claim")


def verdict(claim: claims.Claim, *, file: Path | None = None) -> Verdict:
    """The verdict of the claim's newest rows, or why there is none.  file: the rows, where they are not the learner's own."""
    if reason := rows.declined(claim.id, file=file):
        return unmeasurable(claim, reason)
    newest = rows.load(claim.id, file=file)
    if newest.empty:
        return without(claim, f"not measured yet: run {claim.chapter}.ipynb")
    if rows.broke_off(claim.id, file=file):
        return without(claim, f"its experiment broke off: run {claim.chapter}.ipynb again")
    try:
        return claim.verdict(newest, environments=rows.environments(claim.id, file=file))
    except ClaimError as e:
        return without(claim, e.message)


def _row(claim: claims.Claim, v: Verdict) -> dict[str, object]:
    return {
        "claim": claim.id,
        "verdict": v.label,
        "expected": v.expected,
        "n": v.n,
        "median": _shown(v.median, v.unit),
        "IQR": _shown(v.iqr, v.unit),
        "you predicted": predict(claim).choice or "",
        "right": {True: "yes", False: "no", None: ""}[v.predicted.right if v.predicted else None],
        "profile": v.profile,
        "stamp": v.stamp,
        "reading": v.reading,
    }


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else quantity(value, unit)
