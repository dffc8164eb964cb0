"""The register of claims: experiments, the rules that judge their rows, verdicts, stamps and predictions."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
