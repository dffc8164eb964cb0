"""The learner's prediction, asked before the measurement and kept, so that the verdict can be set beside it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets

from kitlib import paths, widgets
from kitlib.claims import Claim
from kitlib.errors import UsageError


@dataclass(frozen=True)
class Prediction:
    """What the learner expects of a claim: one of the claim's `predictions`, or None until there is one."""

    claim: Claim

    @property
    def choice(self) -> str | None:
        kept = _load().get(self.claim.id)
        return kept if kept in self.claim.predictions else None  # the register may offer others since

    def set(self, choice: str) -> None:
        """Keep a prediction; the newest one counts.  Raises UsageError for one that is not offered."""
        if choice not in self.claim.predictions:
            raise UsageError(f"{choice!r} is not offered", hint=f"one of: {'; '.join(self.claim.predictions)}")
        _save({**_load(), self.claim.id: choice})

    def __repr__(self) -> str:
        kept = (
            f"you predicted: {self.choice}"
            if self.choice
            else f"what do you expect? {' / '.join(self.claim.predictions)}"
        )
        return f"{self.claim!r}\n{kept}"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """The claim, and a way to predict: buttons where somebody can click."""
        if widgets.headless():
            return {"text/plain": repr(self), "text/html": self.claim._repr_html_()}
        return self._buttons()._repr_mimebundle_()

    def _buttons(self) -> Any:
        choices = ipywidgets.RadioButtons(
            options=self.claim.predictions, value=self.choice, description="", layout={"width": "max-content"}
        )
        choices.observe(lambda change: self.set(change["new"]), names="value")
        return ipywidgets.VBox(
            [ipywidgets.HTML(self.claim._repr_html_()), ipywidgets.HTML("What do you expect?"), choices]
        )


def predict(claim: Claim) -> Prediction:
    """Ask before measuring: buttons for a learner, a line of text in a headless run."""
    return Prediction(claim)


def _file() -> Path:
    return paths.state() / "predictions.json"


def _load() -> dict[str, str]:
    return dict(json.loads(_file().read_text())) if _file().exists() else {}


def _save(predictions: dict[str, str]) -> None:
    partial = _file().with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(predictions, indent=1))
    partial.replace(_file())
