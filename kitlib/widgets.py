"""Buttons for a live notebook.  A headless run gets the same as text: where no front end shows a widget, its plain text shows."""

from __future__ import annotations

import html
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.display import Markdown

from kitlib.errors import KitError

if TYPE_CHECKING:
    from kitlib.exercises.base import Exercise


def headless() -> bool:
    """Whether nobody is there to click: only a Jupyter server names its kernels' sessions, tools that execute notebooks do not."""
    return "JPY_SESSION_NAME" not in os.environ


def panel(of: Exercise) -> Any:
    """Check, hint, solution and reset as buttons above one output; the task as text when nobody can click."""
    if headless():
        return Markdown(
            f"{of._repr_markdown_()}\n\n`kit.exercise({of.name!r}).check()`, `.hint()`, `.solution()`, `.reset()`"
        )
    output = ipywidgets.Output(layout={"padding": "4px 8px"})
    actions: dict[str, tuple[str, Callable[[], Any]]] = {
        "Check": ("primary", of.check),
        "Hint": ("info", of.hint),
        "Solution": ("", lambda: Markdown(f"```{of.language}\n{of.solution()}\n```")),
        "Reset": ("warning", lambda: of.reset() or of.check()),
    }
    buttons = [_button(name, style, output, act) for name, (style, act) in actions.items()]
    return ipywidgets.VBox([ipywidgets.HTML(_task(of)), ipywidgets.HBox(buttons), output])


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


def _task(of: Exercise) -> str:
    """The task as HTML: its only markup is code in backticks."""
    words = html.escape(of.task, quote=False).split("`")
    return f"<b>Exercise {of.name}</b><br>" + "".join(f"<code>{w}</code>" if i % 2 else w for i, w in enumerate(words))


def _button(name: str, style: str, output: Any, act: Callable[[], Any]) -> Any:
    button = ipywidgets.Button(description=name, button_style=style)

    def clicked(_: Any) -> None:
        from IPython.display import display

        button.disabled = True
        output.clear_output()
        try:
            with output:
                display(_answer(act))
        finally:
            button.disabled = False

    button.on_click(clicked)
    return button


def _answer(act: Callable[[], Any]) -> Any:
    """The action's result, or the error's words: a traceback would tell a learner nothing."""
    try:
        found = act()
    except KitError as e:
        return Markdown(f"```\n{e}\n```")
    return Markdown(found) if isinstance(found, str) else found
