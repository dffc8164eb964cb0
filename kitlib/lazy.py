"""Modules of a package that are loaded on first use (PEP 562), so that `import kitlib` stays light and is all that a notebook needs."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from importlib.util import find_spec
from types import ModuleType


def modules(*packages: str) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for the first package: what its `__all__` has, and the modules of all these packages.

    A package's `__init__.py` takes them under `if not TYPE_CHECKING`; otherwise mypy would believe that it has any name.
    """
    package = packages[0]

    def load(name: str) -> ModuleType:
        found = within(*packages).get(name)
        if found is None:
            raise missing(package.replace("kitlib", "kit", 1), name, known())
        return importlib.import_module(found)

    def known() -> list[str]:
        return sorted({*vars(sys.modules[package]).get("__all__", ()), *within(*packages)})

    return load, known


def within(*packages: str) -> dict[str, str]:
    """The modules and packages that these packages contain: name → full name.  None of them is imported."""
    return {
        module.name: f"{package}.{module.name}"
        for package in packages
        if (spec := find_spec(package)) and spec.submodule_search_locations
        for module in pkgutil.iter_modules(spec.submodule_search_locations)
        if not module.name.startswith("_")
    }


def missing(owner: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that its owner does not have: the known name that is most like it, or else all of them.

    known: names, which may be dotted; the last part is compared.
    """
    ends = {full.rpartition(".")[2]: full for full in reversed(list(known))}
    near = get_close_matches(name, ends, n=1)
    next_step = f"did you mean {owner}.{ends[near[0]]}?" if near else f"it has {', '.join(sorted(ends.values()))}"
    return AttributeError(f"{owner} has no {name!r}: {next_step}")
