"""The stacks that chapters install beside goapp: one module per stack, each from its folder in cluster/stacks, each usable alone."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
