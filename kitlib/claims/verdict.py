"""The verdict on a claim: what was measured, what was predicted, and what goes into results.json.  card.py shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, get_args

from kitlib.claims import card
from kitlib.claims.card import Card, Table
from kitlib.claims.stamp import stand_ins
from kitlib.host.stats import Sample, quantity

Word = Literal["holds", "refuted", "depends", "not-measurable"]
WORDS: tuple[Word, ...] = get_args(Word)
NONE: Literal["none"] = "none"  # nothing was judged, because the measurement was not made or did not come to its end
SIGNS = {"holds": "✓", "refuted": "✗", "depends": "±", "not-measurable": "–", NONE: "?"}
LABELS: Mapping[str, str] = {word: word.replace("-", " ") for word in WORDS} | {NONE: "without a verdict"}


@dataclass(frozen=True)
class Condition:
    """One thing that a rule asks.  met: None where the measurement could not decide.  told: what was measured.  asked: the threshold."""

    name: str
    met: bool | None
    told: str = ""
    asked: str = ""
    control: bool = False

    @property
    def word(self) -> str:
        """Whether it was met, in a word."""
        met = "undecided" if self.met is None else "yes" if self.met else "no"
        return f"{met} (a control)" if self.control else met


@dataclass(frozen=True)
class Predicted:
    """The learner's choice.  right: None where the rule cannot tell.  measured: the option that was measured; "" where that is open."""

    choice: str
    right: bool | None
    measured: str = ""

    @property
    def remark(self) -> str:
        """What follows the choice: whether it is what was measured."""
        if self.right:
            return "that is what was measured."
        if self.measured:
            return f"measured: “{self.measured}”."
        return "the measurement says otherwise." if self.right is False else "the measurement does not decide that."


@dataclass(frozen=True)
class Verdict:
    """The judgement of one claim, or NONE.

    n: of all measurements.  median, iqr: in `unit`; None when nothing was measured (n = 0), for yes and no, and where treatments
    differ in kind, so that no single median stands for them.  treatments: n, median and IQR of each.
    reading: what was measured, in a sentence or two.  own: the thresholds of the kit's own, in words.
    says: the claim.  conditions: what the rule asks, one by one.  remarks: sentences for a reader of the figures.
    predicted: the learner's choice; None without one.
    """

    claim: str
    verdict: Word | Literal["none"]
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
    treatments: tuple[Sample, ...] = ()
    own: tuple[str, ...] = ()
    says: str = ""
    conditions: tuple[Condition, ...] = ()
    remarks: tuple[str, ...] = ()
    predicted: Predicted | None = None

    @property
    def drift(self) -> bool:
        """Whether this is a verdict, and not the one that the register expects."""
        return self.verdict not in (NONE, self.expected)

    @property
    def label(self) -> str:
        """The verdict in words."""
        return LABELS[self.verdict]

    @property
    def told(self) -> str:
        """The text after the verdict's word, in one line."""
        return self.reading if self.n and self.reading else self.reason

    @property
    def prediction(self) -> str:
        """What the learner predicted beside what was measured, in a sentence; "" without a prediction."""
        return f"You predicted “{self.predicted.choice}”; {self.predicted.remark}" if self.predicted and self.n else ""

    @property
    def facts(self) -> str:
        """n, and median and spread where one median stands for all that was measured; "" when nothing was."""
        median = "" if self.median is None else f"median {quantity(self.median, self.unit)}"
        spread = f"IQR {quantity(self.iqr, self.unit)}" if median and self.iqr is not None and self.n > 1 else ""
        return " · ".join(filter(None, [f"n = {self.n}", median, spread])) if self.n else ""

    @property
    def details(self) -> tuple[str, ...]:
        """For a reader who wants to know on what the verdict stands: remarks, stand-ins, what was expected, and the origin."""
        drift = f"The register expects “{LABELS[self.expected]}”." if self.drift else ""
        bases = "; ".join(stand_ins(self.environment))
        origin = f"Stamp {self.stamp}, profile {self.profile}." if self.n else ""
        return tuple(filter(None, [*self.remarks, f"Measured on stand-ins: {bases}." if bases else "", drift, origin]))

    def as_dict(self) -> dict[str, Any]:
        """The entry of results.json."""
        names = ("claim", "verdict", "label", "n", "median", "iqr", "unit", "reading", "reason", "expected", "drift")
        return {name: getattr(self, name) for name in names} | {
            "says": self.says,
            "conditions": [asdict(condition) for condition in self.conditions],
            "treatments": [asdict(sample) for sample in self.treatments],
            "own_thresholds": list(self.own),
            "remarks": list(self.remarks),
            "predicted": asdict(self.predicted) if self.predicted else None,
            "deterministic": self.deterministic,
            "profile": self.profile,
            "stamp": {"id": self.stamp, **self.environment},
        }

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = self._card()
        return {"text/html": card.html(shown), "text/plain": card.text(shown)}

    def _card(self) -> Card:
        asked = tuple((c.name, c.told, c.asked, c.word) for c in self.conditions)
        each = tuple((s.treatment or "all", sample_in_words(s)) for s in self.treatments)
        tables = (
            Table("What the rule asks", ("condition", "measured", "asked for", "met"), asked),
            Table("Each treatment", ("treatment", "measured"), each),
        )
        lines = tuple(filter(None, (self.reading, self.prediction, self.facts)))
        badge = f"{SIGNS[self.verdict]} {self.label}"
        return Card(self.claim, badge, self.says, lines, tuple(t for t in tables if t.rows), self.details)


def sample_in_words(sample: Sample) -> str:
    """n, median and IQR of one treatment; of yes and no, how many were yes; of a single value, the value."""
    if sample.yes is not None:
        return ("yes" if sample.yes else "no") if sample.n == 1 else f"yes in {sample.yes} of {sample.n} runs"
    middle, spread = (quantity(value, sample.unit) for value in (sample.median, sample.iqr))
    return f"n = {sample.n} · median {middle} · IQR {spread}" if sample.n > 1 else middle


class Judged(Protocol):
    """The fields of a claim that a verdict repeats."""

    @property
    def id(self) -> str:
        """The claim's id in the register."""

    @property
    def says(self) -> str:
        """The claim, as a sentence."""

    @property
    def unit(self) -> str:
        """The unit of the claim's metric."""

    @property
    def expected(self) -> str:
        """The verdict that the register expects."""

    @property
    def deterministic(self) -> bool:
        """Whether every run gives the same value, so that one row is enough."""


def unmeasurable(claim: Judged, reason: str) -> Verdict:
    """The verdict for a claim that this machine cannot measure, with the reason; nothing is written."""
    return _empty(claim, "not-measurable", f"Not measurable here: {reason}", reason)


def without(claim: Judged, reason: str) -> Verdict:
    """No verdict, with the reason: the measurement was not made, or it broke off."""
    return _empty(claim, NONE, f"Without a verdict: {reason}", reason)


def _empty(claim: Judged, verdict: Word | Literal["none"], reading: str, reason: str) -> Verdict:
    return Verdict(
        claim=claim.id,
        verdict=verdict,
        n=0,
        median=None,
        iqr=None,
        unit=claim.unit,
        stamp="",
        profile="",
        reading=reading,
        reason=reason,
        expected=claim.expected,
        deterministic=claim.deterministic,
        says=claim.says,
    )
