"""Game days: real faults, the alerts that must report them, and how they are found and repaired."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
