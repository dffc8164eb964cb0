"""A button for a live notebook that repeats an action while it is pressed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets


def repeating(description: str, act: Callable[[], None], seconds: float) -> Any:
    """A button that, while it is pressed, does something over and over, so many seconds apart."""
    button = ipywidgets.ToggleButton(description=description, icon="play")
    stop = threading.Event()

    def follow(until: threading.Event) -> None:
        while not until.wait(seconds):
            act()

    def toggled(change: Any) -> None:
        nonlocal stop
        stop.set()
        stop = threading.Event()
        if change["new"]:
            threading.Thread(target=follow, args=(stop,), daemon=True).start()

    button.observe(toggled, "value")
    return button
