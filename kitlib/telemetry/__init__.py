"""Clients of the stacks' data, one module per signal: reached through the API server, so that no port is opened on this machine."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
