"""The commands `./kit lab` and `./kit run`: JupyterLab, headless runs of chapters, and their reports."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
