"""Panels without Prometheus: the queries, the names and units of lines, and the text of a panel without data."""

import threading
from typing import Any

import pandas as pd
import pytest

from kitlib.dashboards import Dashboard, Panel, Query
from kitlib.telemetry.metrics import Metrics
from kitlib.telemetry.samples import frame
from kitlib.views import panels, widgets

PANEL = Panel(
    "Errors",
    "A share.",
    "percentunit",
    (Query('sum by (app) (rate(x{namespace=~"$namespace"}[$__rate_interval]))', "{{app}} {{none}}!"),),
)
EMPTY = Panel("Nothing", "No series.", "short", (Query("nothing", "{{app}}"),))
BOARD = Dashboard("kit-test", "A test", (("Row", (PANEL, EMPTY)),))
END = pd.Timestamp("2026-01-01T10:00:00Z")


def _metrics(monkeypatch: pytest.MonkeyPatch, series: dict[str, list[float]]) -> list[tuple[str, float]]:
    """Answers PANEL's queries with one value per second for each app; returns the queries, and their steps."""
    asked: list[tuple[str, float]] = []

    def history(_: object, expression: str, start: pd.Timestamp, __: object, *, step: float) -> pd.DataFrame:
        asked.append((expression, step))
        points: list[Any] = [
            ({"app": app}, start.timestamp() + i, str(v))
            for app, values in series.items()
            for i, v in enumerate(values)
        ]
        return frame(points if "rate" in expression else [])

    monkeypatch.setattr(Metrics, "history", history)
    return asked


def test_a_line_is_named_and_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the legend's labels, one that a series lacks being empty; a share in percent; what has no value is left out."""
    asked = _metrics(monkeypatch, {"shop": [0.25, float("nan"), 0.5], "idle": [float("nan")]})
    drawn = panels.ask(Metrics(None), PANEL, END - pd.Timedelta(minutes=5), END, namespace="kit-shop")  # type: ignore[arg-type]

    assert asked == [('sum by (app) (rate(x{namespace=~"kit-shop"}[20s]))', 5.0)]
    assert {name: list(values) for name, values in drawn.lines.items()} == {"shop !": [25.0, 50.0]}
    assert drawn.unit == "%"


def test_a_long_span_has_a_long_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample may fall between two points."""
    asked = _metrics(monkeypatch, {})
    panels.ask(Metrics(None), PANEL, END - pd.Timedelta(hours=1), END)  # type: ignore[arg-type]

    assert asked == [('sum by (app) (rate(x{namespace=~"kit-.+"}[65s]))', 60.0)]


def test_a_page_says_what_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel without data is named, in the figure as in the table."""
    _metrics(monkeypatch, {"shop": [0.25]})
    page = panels.Page(Metrics(None), BOARD)  # type: ignore[arg-type]
    shown = page._repr_mimebundle_()

    assert page.empty == ["Nothing"]
    assert page.table.to_dict("list") == {
        "panel": ["Errors", "Nothing"],
        "line": ["shop !", "no data"],
        "last": ["25 %", ""],
    }
    assert "Errors (%)" in shown["text/html"] and "no data" in shown["text/html"]
    assert "25 %" in shown["text/plain"]


def test_only_the_largest_lines_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are counted."""
    _metrics(monkeypatch, {f"app-{i}": [i / 100] for i in range(10)})
    page = panels.Page(Metrics(None), BOARD)  # type: ignore[arg-type]

    assert list(page.drawn[0].shown) == [f"app-{i} !" for i in range(9, 3, -1)]
    assert "4 more" in page.html()


def test_a_pressed_button_repeats() -> None:
    """At once it does nothing: the panels have just been drawn."""
    calls: list[Any] = []
    twice = threading.Event()

    def act() -> None:
        calls.append(None)
        if len(calls) >= 2:
            twice.set()

    button = widgets.repeating("again", act, 0.001)
    assert not calls
    button.value = True

    assert twice.wait(10)
    button.value = False
