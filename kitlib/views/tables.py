"""Tables of a notebook with numbers that people read: measured values with their unit, bytes in MB, no powers of ten for large ones.

Only what is shown changes; the frame keeps its numbers.  pandas is imported when a frame is shown, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LARGE = 1e6  # from here on pandas writes a column with powers of ten
MODULES = ("pandas", "pandas.core.frame")  # what a DataFrame calls its module, since pandas 3 and before
MEASURED = {"value", "unit"}


def install(shell: Any) -> None:
    """Show the DataFrames of a kernel in this way."""
    formatters = shell.display_formatter.formatters
    for module in MODULES:
        formatters["text/html"].for_type_by_name(module, "DataFrame", html)
        formatters["text/plain"].for_type_by_name(module, "DataFrame", _plain)


def html(frame: pd.DataFrame) -> str | None:
    """The frame as a table of a page."""
    import pandas as pd

    with pd.option_context("display.float_format", _written(frame)):
        shown: str | None = readable(frame)._repr_html_()  # what pandas itself gives to IPython
        return shown


def text(frame: pd.DataFrame) -> str:
    """The frame as text."""
    import pandas as pd

    with pd.option_context("display.float_format", _written(frame)):
        return repr(readable(frame))


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Of rows of an experiment, the values with their units in one column; any other frame as it is."""
    from kitlib.host.stats import quantity

    if not set(frame.columns) >= MEASURED or frame["value"].dtype != float:
        return frame
    values = [quantity(value, str(unit)) for value, unit in zip(frame["value"], frame["unit"], strict=True)]
    return frame.assign(value=values).drop(columns="unit")


def _written(frame: pd.DataFrame) -> Any:
    """How its numbers are written: as pandas does, and whole with separators where it would take powers of ten."""
    numbers = frame.select_dtypes("float")
    if numbers.empty or not (numbers.abs().max(axis=None) >= LARGE):
        return None
    return lambda number: f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def _plain(frame: pd.DataFrame, printer: Any, _: bool) -> None:
    printer.text(text(frame))
