"""The table of what each signal says of a request, without the stores."""

import pandas as pd

from kitlib.gameday import matrix


def test_a_missing_value_is_seen() -> None:
    """A field that is not there, None or NaN has no value; nought is one."""
    found = dict(
        matrix._fields({"status": 0, "level": None, "seconds": float("nan")}, ["status", "level", "seconds", "path"])
    )

    assert found == {"status": "0", "level": "", "seconds": "", "path": ""}


def test_the_entry_alone_has_no_parent() -> None:
    """The gateway's span is a root; catalog's without a parent is a field that is missing."""
    span = {"kind": "server", "span_id": "1", "parent_id": "", "attributes": {}}
    spans = pd.DataFrame([{**span, "service": name} for name in ("gateway", "catalog")])

    assert dict(matrix._spanned(spans, "gateway"))["parent"] == "none"
    assert dict(matrix._spanned(spans, "catalog"))["parent"] == ""
    assert set(dict(matrix._spanned(spans, "backend")).values()) == {""}


def test_a_cross_stands_where_a_value_is_missing() -> None:
    """One row per signal and field, one column per service."""
    rows = [("gateway", "logs", "path", "/items", True), ("catalog", "logs", "path", "", False)]
    shown = matrix.wide(pd.DataFrame(rows, columns=matrix.COLUMNS))

    assert shown.loc[("logs", "path")].to_dict() == {"gateway": "/items", "catalog": "✗"}
