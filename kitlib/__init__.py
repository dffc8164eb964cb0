"""The only import that a notebook needs: `import kitlib as kit`.

`__all__` has the names that notebooks use directly, such as `kit.claim` and `kit.experiment`: at most 25.  `ROOMS` has the packages
whose modules a notebook reaches as attributes, such as `kit.stacks.ingress` and `kit.views.owner_tree`.  Rooms do not count among
the 25.  docs/api.md says what each of them is for.

Names, rooms and their modules are loaded on first use, so that the command line does not pay for pandas and kubernetes.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from kitlib import lazy

if TYPE_CHECKING:
    from kitlib.claims.experiments import experiment
    from kitlib.claims.overview import verdicts
    from kitlib.claims.predictions import predict
    from kitlib.claims.register import claim, errata, not_measurable
    from kitlib.cluster.bound import bind
    from kitlib.errors import KitError, expect
    from kitlib.exercises import exercise
    from kitlib.learning.chapter import chapter
    from kitlib.learning.files import files
    from kitlib.learning.glossary import explain
    from kitlib.supply.images import describe as bases
    from kitlib.supply.images import image
    from kitlib.views import live
    from kitlib.views.plots import plot
    from kitlib.workloads import app, builds

# where each name is: a module, or module:name
_HOME = {
    "KitError": "errors:KitError",
    "app": "workloads.app",
    "bases": "supply.images:describe",
    "bind": "cluster.bound:bind",
    "builds": "workloads.builds",
    "chapter": "learning.chapter:chapter",
    "claim": "claims.register:claim",
    "errata": "claims.register:errata",
    "exercise": "exercises:exercise",
    "expect": "errors:expect",
    "experiment": "claims.experiments:experiment",
    "explain": "learning.glossary:explain",
    "files": "learning.files:files",
    "image": "supply.images:image",
    "live": "views.live",
    "not_measurable": "claims.register:not_measurable",
    "plot": "views.plots:plot",
    "predict": "claims.predictions:predict",
    "verdicts": "claims.overview:verdicts",
}

__all__ = [
    "KitError",
    "app",
    "bases",
    "bind",
    "builds",
    "chapter",
    "claim",
    "errata",
    "exercise",
    "expect",
    "experiment",
    "explain",
    "files",
    "image",
    "live",
    "not_measurable",
    "plot",
    "predict",
    "verdicts",
]

# packages, and the module of errors, that notebooks and solutions of exercises reach as attributes
ROOMS = (
    "claims",
    "cluster",
    "dashboards",
    "debug",
    "errors",
    "gameday",
    "golang",
    "measure",
    "pipelines",
    "private_registry",
    "runner",
    "stacks",
    "telemetry",
    "views",
    "workloads",
)


def _enter_notebook() -> None:
    """In a notebook, secrets are masked before they leave the kernel, a cell has the kit's cluster and engine, a command that fails
    fails its cell, and tables read well."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        from kitlib.masking import redact
        from kitlib.runner import names, reading, shell_commands, workplace
        from kitlib.views import tables

        redact.install(shell)
        workplace.enter()
        tables.install(shell)
        shell_commands.install(shell)
        names.install(shell)
        reading.install(shell)


_enter_notebook()


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return importlib.import_module(f"kitlib.{name}")
    if name not in _HOME:
        raise _missing(name)
    home, _, inside = _HOME[name].partition(":")
    module = importlib.import_module(f"kitlib.{home}")
    return getattr(module, inside) if inside else module


def __dir__() -> list[str]:
    return sorted([*__all__, *ROOMS])


def _missing(name: str) -> AttributeError:
    """The error for a name that a notebook does not have; a module of a room counts among what may be meant."""
    if name in lazy.within("kitlib"):  # Python asks here before it imports a module
        return AttributeError(f"kit has no {name!r}: kitlib.{name} is not for notebooks")
    inside = [f"{room}.{module}" for room in ROOMS for module in lazy.within(f"kitlib.{room}")]
    measured = [f"measure.{module}" for module in dir(importlib.import_module("kitlib.measure"))]
    return lazy.missing("kit", name, [*__dir__(), *measured, *inside])
