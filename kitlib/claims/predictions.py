"""The learner's prediction, asked before the measurement and kept, so that the verdict can be set beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ipywidgets

from kitlib.claims import choices
from kitlib.claims.register import Claim, claim
from kitlib.errors import UsageError
from kitlib.host.frontend import headless


@dataclass(frozen=True)
class Prediction:
    """The result that the learner expects of a claim: one of the claim's `predictions`, or None until there is one."""

    claim: Claim

    @property
    def choice(self) -> str | None:
        """The kept choice; None before there is one, or when the register no longer offers it."""
        kept = choices.chosen(self.claim.id)
        return kept if kept in self.claim.predictions else None  # the register may offer others since

    def set(self, choice: str) -> None:
        """Keep a prediction; the newest one counts.  Raises UsageError for one that is not offered."""
        if choice not in self.claim.predictions:
            raise UsageError(f"{choice!r} is not offered", hint=f"one of: {'; '.join(self.claim.predictions)}")
        choices.keep(self.claim.id, choice)

    def __repr__(self) -> str:
        kept = (
            f"you predicted: {self.choice}"
            if self.choice
            else f"what do you expect? {' / '.join(self.claim.predictions)}"
        )
        return f"{self.claim!r}\n{kept}"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """The claim, with buttons for its predictions in a live notebook, and as text elsewhere."""
        if headless():
            return {"text/plain": repr(self), "text/html": self.claim._repr_html_()}
        return self._buttons()._repr_mimebundle_()

    def _buttons(self) -> Any:
        offered = ipywidgets.RadioButtons(
            options=self.claim.predictions, value=self.choice, description="", layout={"width": "max-content"}
        )
        offered.observe(lambda change: self.set(change["new"]), names="value")
        return ipywidgets.VBox(
            [ipywidgets.HTML(self.claim._repr_html_()), ipywidgets.HTML("What do you expect?"), offered]
        )


def predict(of: Claim | str) -> Prediction:
    """Ask for a prediction before the measurement: buttons for a learner, a line of text in a headless run.

    of: a claim, or its id.  Raises ClaimError for an id that no claim has, and UsageError for anything else.
    """
    if isinstance(of, str):
        return Prediction(claim(of))
    if not isinstance(of, Claim):
        raise UsageError(
            f"a {type(of).__name__} cannot be predicted", hint='kit.predict("3.2-rolling"), or a kit.claim(...)'
        )
    return Prediction(of)
