"""What chapters measure, one module a question; `kit.measure.<module>` is loaded when it is first named."""

from __future__ import annotations

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as e:
        if e.name != f"{__name__}.{name}":
            raise
        raise AttributeError(
            f"nothing called {name!r} is measured: kitlib/measure/ has a module for each question"
        ) from None
