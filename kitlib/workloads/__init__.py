"""The workloads of a chapter: goapp and its releases, load, Compose projects, images built from text."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
