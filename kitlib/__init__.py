"""What a notebook imports, as `import kitlib as kit`: the whole public surface.

Names are loaded on first use, so that the command line does not pay for pandas and kubernetes.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kitlib import app, live, measure, traffic
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

# where a name lives: a module, or module:name where it is called something else there, or . for the module itself
_HOME = {
    "KitError": "errors",
    "app": ".",
    "bases": "images:describe",
    "bind": "cluster",
    "claim": "claims",
    "cold_start": "measure.startup",
    "draw": "drawing",
    "errata": "claims",
    "examine": "doctor",
    "exercise": "exercises",
    "expect": "errors",
    "experiment": "experiments",
    "image": "images",
    "live": ".",
    "load": "experiments",
    "measure": ".",
    "not_measurable": "verdict",
    "plot": "plots",
    "predict": "predictions",
    "register": "claims",
    "size": "measure.size",
    "starts": "measure.starts",
    "surface": "measure.surface",
    "traffic": ".",
    "verdicts": "overview",
}

__all__ = [
    "KitError",
    "app",
    "bases",
    "bind",
    "claim",
    "cold_start",
    "draw",
    "errata",
    "examine",
    "exercise",
    "expect",
    "experiment",
    "image",
    "live",
    "load",
    "measure",
    "not_measurable",
    "plot",
    "predict",
    "register",
    "size",
    "starts",
    "surface",
    "traffic",
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
    if module == ".":
        return importlib.import_module(f"kitlib.{name}")
    return getattr(importlib.import_module(f"kitlib.{module}"), original or name)
