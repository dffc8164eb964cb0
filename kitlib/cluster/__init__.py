"""The cluster that the kit is bound to: creating and removing it, its nodes, its registry, its control plane."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
