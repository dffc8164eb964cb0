"""What the chapters measure: one module per question, in one package per part of the guide.

`kit.measure.<module>` loads a module when it is first named, whichever package it is in; their names are unique.
"""

from typing import TYPE_CHECKING

from kitlib import lazy

PARTS = ("cluster", "development", "golang", "images", "registry", "selfhealing", "signals", "workloads")

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__, *(f"{__name__}.{part}" for part in PARTS))
