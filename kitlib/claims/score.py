"""The learner's predictions beside the verdicts: how many were right, and which results came as a surprise."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from kitlib.claims import choices, overview
from kitlib.claims import register as claims
from kitlib.claims.verdict import Verdict

WORDS = {True: "right", False: "wrong", None: "open"}


@dataclass(frozen=True)
class Score:
    """All predictions that the learner made, in the order of the register.

    table: one row per prediction, by claim: what was predicted, what was measured, and `right`, `wrong` or `open`: open where the
    claim was not measured yet, or the measurement does not decide between the options.
    surprises: the verdicts of the wrong ones.
    """

    table: pd.DataFrame
    surprises: tuple[Verdict, ...]

    def count(self, word: str) -> int:
        """How many predictions are right, wrong or open."""
        return int((self.table["prediction"] == word).sum())

    def __str__(self) -> str:
        """How many predictions were right, in a sentence or two."""
        made, right, wrong = len(self.table), self.count("right"), self.count("wrong")
        if not made:
            return "You made no prediction yet. Each chapter asks for one before it measures a claim."
        still = f" {self.count('open')} cannot be decided, or not yet." if self.count("open") else ""
        return f"You made {made} prediction{'s' if made > 1 else ''}: {right} right, {wrong} wrong.{still}"

    def __repr__(self) -> str:
        surprises = [f"{v.claim}: {v.prediction} {v.reading}" for v in self.surprises]
        return "\n\n".join([str(self), *([f"What surprised you:\n{chr(10).join(surprises)}"] if surprises else [])])

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li><code>{escape(v.claim)}</code> {escape(v.prediction)}<br>{escape(v.reading)}</li>"
            for v in self.surprises
        )
        surprises = f"<p>What surprised you:</p><ul>{items}</ul>" if items else ""
        table = self.table.to_html(border=0) if len(self.table) else ""
        all_ = (
            f'<details><summary>Each prediction</summary><div style="overflow-x:auto">{table}</div></details>'
            if table
            else ""
        )
        return f"<p><strong>{escape(str(self))}</strong></p>{surprises}{all_}"


def score() -> Score:
    """The score of this checkout's learner, from the kept predictions and the newest rows of each claim."""
    made = choices.load()
    found = [(c, overview.verdict(c), made[c.id]) for c in claims.register() if made.get(c.id) in c.predictions]
    rows = [
        {
            "claim": c.id,
            "you predicted": choice,
            "measured": v.predicted.measured or v.label if v.predicted else v.label,
            "prediction": WORDS[v.predicted.right if v.predicted else None],
        }
        for c, v, choice in found
    ]
    table = pd.DataFrame(rows, columns=["claim", "you predicted", "measured", "prediction"]).set_index("claim")
    return Score(table, tuple(v for _, v, _ in found if v.predicted and v.predicted.right is False))
