"""What a notebook imports, as `import kitlib as kit`: the whole public surface.

Names are loaded on first use, so that the command line does not pay for pandas and kubernetes.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kitlib.app import build as build_app
    from kitlib.app import deployment
    from kitlib.claims import claim, errata, register
    from kitlib.cluster import bind
    from kitlib.doctor import examine
    from kitlib.drawing import draw
    from kitlib.errors import KitError, expect
    from kitlib.exercises import exercise
    from kitlib.experiments import experiment, load
    from kitlib.images import describe as bases
    from kitlib.images import image
    from kitlib.measure.size import size
    from kitlib.measure.starts import starts
    from kitlib.measure.startup import cold_start
    from kitlib.measure.surface import surface
    from kitlib.overview import verdicts
    from kitlib.plots import plot
    from kitlib.predictions import predict
    from kitlib.verdict import not_measurable

_HOME = {
    "KitError": "errors",
    "bases": "images:describe",
    "bind": "cluster",
    "build_app": "app:build",
    "claim": "claims",
    "cold_start": "measure.startup",
    "deployment": "app",
    "draw": "drawing",
    "errata": "claims",
    "examine": "doctor",
    "exercise": "exercises",
    "expect": "errors",
    "experiment": "experiments",
    "image": "images",
    "load": "experiments",
    "not_measurable": "verdict",
    "plot": "plots",
    "predict": "predictions",
    "register": "claims",
    "size": "measure.size",
    "starts": "measure.starts",
    "surface": "measure.surface",
    "verdicts": "overview",
}

__all__ = [
    "KitError",
    "bases",
    "bind",
    "build_app",
    "claim",
    "cold_start",
    "deployment",
    "draw",
    "errata",
    "examine",
    "exercise",
    "expect",
    "experiment",
    "image",
    "load",
    "not_measurable",
    "plot",
    "predict",
    "register",
    "size",
    "starts",
    "surface",
    "verdicts",
]


def _mask_outputs() -> None:
    """In a notebook, secrets are masked before they leave the kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        from kitlib import redact

        redact.install(shell)


_mask_outputs()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"kitlib has no {name!r}; it has {', '.join(__all__)}")
    module, _, original = _HOME[name].partition(":")
    return getattr(importlib.import_module(f"kitlib.{module}"), original or name)
