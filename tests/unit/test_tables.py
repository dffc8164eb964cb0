"""Tables in a notebook: what was measured has its unit, bytes are in MB, and no number is a power of ten."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
from IPython.core.interactiveshell import InteractiveShell

from kitlib.views import tables
from tests.unit.frames import sizes, starts


def test_measured_values_have_their_unit() -> None:
    """Bytes in MB and yes or no in place of 1.281368e+09 and 1.0; the frame itself keeps its numbers."""
    runs = sizes([1.281368e9], [26.3e6])
    shown = tables.html(runs[["metric", "dockerfile", "value", "unit"]])

    assert shown is not None and "<td>1281 MB</td>" in shown and "e+0" not in shown
    assert "yes" in str(tables.html(starts([1, 1])))
    assert runs["value"].max() == 1.281368e9


def test_a_table_of_large_numbers_has_no_powers_of_ten() -> None:
    """A pivot of sizes has no unit to go by: it is whole, with separators; small ones beside it keep their digits."""
    frame = pd.DataFrame({"size": [1.281368e9, 0.5]}, index=["a", "b"])

    assert "1,281,368,000" in str(tables.html(frame)) and "1,281,368,000" in tables.text(frame)
    assert "0.5" in tables.text(frame)


def test_other_tables_are_as_pandas_shows_them() -> None:
    """Text, whole numbers and small ones are left alone."""
    for frame in (pd.DataFrame({"a": [1, 2_000_000]}), pd.DataFrame({"a": [0.123456789]}), pd.DataFrame({"a": []})):
        assert tables.html(frame) == frame._repr_html_()
        assert tables.text(frame) == repr(frame)


def test_a_kernel_shows_frames_in_this_way() -> None:
    """Both forms of the output, and only of frames."""
    shell = InteractiveShell()
    tables.install(shell)
    assert shell.display_formatter
    bundle, _ = shell.display_formatter.format(sizes([1.281368e9], [26.3e6])[["value", "unit"]])

    assert "1281 MB" in bundle["text/html"] and "1281 MB" in bundle["text/plain"]


def test_pandas_is_not_loaded_for_it() -> None:
    """A notebook that shows no frame does not wait for pandas."""
    code = "import sys; from kitlib.views import tables; sys.exit('pandas' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
