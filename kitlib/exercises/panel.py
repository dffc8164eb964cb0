"""An exercise's buttons in a live notebook; the task as text in a headless run.

The task is a separate output, which stays when the kernel is restarted; the buttons are a widget, which does not stay.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import ipywidgets
from IPython.display import HTML, Markdown

from kitlib.errors import KitError
from kitlib.exercises.busy import Busy
from kitlib.host.frontend import headless
from kitlib.views.markup import marked

DEAD = "If there are no buttons here, or if they do nothing, the kernel was restarted: run this cell again."


class Task(Protocol):
    """The parts of an exercise that a panel shows, and that its buttons call."""

    language: str
    name: str
    task: str
    hints: tuple[str, str, str]

    @property
    def checking(self) -> str:
        """A sentence about what check() looks at."""

    def check(self) -> object:
        """Look at the real system and return the outcome."""

    def solution(self) -> str:
        """The reference solution, as text in `language`."""

    def reset(self) -> object:
        """Return the system to the state before the task."""

    def _repr_markdown_(self) -> str: ...


def panel(of: Task) -> Any:
    """Buttons for check, hints, solution and reset above one output; in a headless run, the task as text."""
    if headless():
        calls = "`.check()`, `.hint(1)` to `.hint(3)`, `.solution()`, `.reset()`"
        return Markdown(f"{of._repr_markdown_()}\n\nUse `kit.exercise({of.name!r})` with {calls}.")
    return Panel(of)


class Panel:
    """The task, and below it the buttons.  One action runs at a time; each button can be pressed again after an error."""

    def __init__(self, of: Task) -> None:
        self.of, self.hints = of, _Hints(of.hints)
        self.busy = ipywidgets.HTML()
        self.output = ipywidgets.Output(layout={"padding": "4px 8px"})
        actions: list[tuple[str, str, str, Callable[[], Any]]] = [
            ("Check", "primary", f"Checking: {of.checking}", of.check),
            ("Hint", "info", "", self.hints.more),
            ("Solution", "", "", lambda: Markdown(f"```{of.language}\n{of.solution()}\n```")),
            ("Reset", "warning", "Resetting", self._reset),
        ]
        self.buttons = {name: self._button(name, style, doing, act) for name, style, doing, act in actions}
        self.widget = ipywidgets.VBox([ipywidgets.HBox([*self.buttons.values()]), self.busy, self.output])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(HTML(f"{_task(self.of)}<div style='font-size:.85em;opacity:.75'>{html.escape(DEAD)}</div>"))
        display(self.widget)

    def _reset(self) -> object:
        return self.of.reset() or self.of.check()

    def _button(self, name: str, style: str, doing: str, act: Callable[[], Any]) -> Any:
        button = ipywidgets.Button(description=name, button_style=style)
        button.on_click(lambda _: self._run(doing, act))
        return button

    def _run(self, doing: str, act: Callable[[], Any]) -> None:
        """Show the action and its seconds at once; then show the answer, and enable the buttons."""
        from IPython.display import display

        self._enable(False)
        self.output.clear_output()
        try:
            with Busy(self.busy, doing):
                answer = _answer(act)
            with self.output:
                display(answer)
        finally:
            self._enable(True)

    def _enable(self, enabled: bool) -> None:
        for button in self.buttons.values():
            button.disabled = not enabled


@dataclass
class _Hints:
    """The hints of an exercise, one more at each press."""

    hints: tuple[str, str, str]
    given: int = 0

    def more(self) -> Any:
        """The hints so far and the next one, the newest last."""
        self.given = min(self.given + 1, len(self.hints))
        return Markdown("\n\n".join(f"**Hint {i} of 3.** {hint}" for i, hint in enumerate(self.hints[: self.given], 1)))


def _task(of: Task) -> str:
    return f"<b>Exercise {of.name}</b><br>{marked(of.task)}"


def _answer(act: Callable[[], Any]) -> Any:
    """The action's result, or the message of its error without a traceback, which would not help a learner."""
    try:
        return act()
    except KitError as e:
        return Markdown(f"```\n{e}\n```")
    except KeyboardInterrupt:
        return Markdown("Interrupted. Press the button again to go on.")
    except Exception as e:  # noqa: BLE001 - a button that has failed has to work again, and to say why
        said = f"{type(e).__name__}: {e}".rstrip(": ")
        return Markdown(
            f"This is an error in the kit, not in your answer. Run the cell again, and press the button again.\n```\n{said}\n```"
        )
