"""The verdict on a claim: what it says, how it is shown, and what goes into results.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args

from kitlib.stamp import stand_ins
from kitlib.stats import quantity

if TYPE_CHECKING:
    from kitlib.claims import Claim

Word = Literal["holds", "refuted", "depends", "not-measurable"]
WORDS: tuple[Word, ...] = get_args(Word)


@dataclass(frozen=True)
class Verdict:
    """The judgement of one claim.  median and iqr are in `unit`; both are None when nothing was measured (n = 0)."""

    claim: str
    verdict: Word
    n: int
    median: float | None
    iqr: float | None
    unit: str
    stamp: str
    profile: str
    reading: str
    reason: str
    expected: str
    deterministic: bool
    environment: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def drift(self) -> bool:
        """Whether this is not the verdict that the register expects."""
        return self.verdict != self.expected

    def as_dict(self) -> dict[str, Any]:
        """The entry of results.json."""
        names = ("claim", "verdict", "n", "median", "iqr", "unit", "reading", "reason", "expected", "drift")
        return {name: getattr(self, name) for name in names} | {
            "deterministic": self.deterministic,
            "profile": self.profile,
            "stamp": {"id": self.stamp, **self.environment},
        }

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": self._text()}

    def _facts(self) -> list[str]:
        facts = {"median": self.median, "IQR": self.iqr}
        spread = [f"{name} {quantity(value, self.unit)}" for name, value in facts.items() if value is not None]
        origin = [f"stamp {self.stamp}", f"profile {self.profile}"] if self.n else []
        return [f"n = {self.n}", *spread, *origin]

    def _notes(self) -> list[str]:
        drift = f"the register expects '{self.expected}'" if self.drift else ""
        reason = "" if self.reason in self.reading else self.reason
        return [note for note in (reason, drift, "; ".join(stand_ins(self.environment))) if note]

    def _text(self) -> str:
        return "\n".join([f"{self.claim}: {self.verdict}", self.reading, " · ".join(self._facts()), *self._notes()])

    def _html(self) -> str:
        """Sign and word carry the verdict; colour comes from the page, so that it reads on light and on dark."""
        sign = {"holds": "✓", "refuted": "✗", "depends": "±", "not-measurable": "–"}[self.verdict]
        badge = "border:2px solid currentColor;border-radius:1em;padding:.1em .7em;font-weight:bold;white-space:nowrap"
        small = "".join(f'<div style="font-size:.85em;opacity:.8">{escape(note)}</div>' for note in self._notes())
        return (
            '<div style="border:1px solid currentColor;border-radius:.5em;padding:.7em 1em;max-width:48em">'
            f'<span style="{badge}">{sign} {self.verdict}</span> <code>{escape(self.claim)}</code>'
            f'<p style="margin:.6em 0">{escape(self.reading)}</p>'
            f'<div style="font-size:.9em">{escape(" · ".join(self._facts()))}</div>{small}</div>'
        )


def not_measurable(claim: Claim, reason: str) -> Verdict:
    """The verdict for what this place cannot measure, and why."""
    return Verdict(
        claim=claim.id,
        verdict="not-measurable",
        n=0,
        median=None,
        iqr=None,
        unit=claim.unit,
        stamp="",
        profile="",
        reading=f"Not measurable here: {reason}",
        reason=reason,
        expected=claim.expected,
        deterministic=claim.deterministic,
    )
