"""Pictures and live views: plots, timelines, drawings of the cluster, image layers, explorers of logs and traces."""

from typing import TYPE_CHECKING

from kitlib import lazy

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
