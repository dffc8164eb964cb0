"""Quantities of Kubernetes as numbers."""

from __future__ import annotations

import pytest

from kitlib.kube.quantity import parse


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", 0.25),
        ("1", 1),
        ("1.5", 1.5),
        ("12Mi", 12 * 1024**2),
        ("1Ki", 1024),
        ("3k", 3000),
        ("129e6", 129e6),
        ("129M", 129e6),
        ("1E", 1e18),
        ("2Ei", 2 * 1024**6),
        ("123456789n", 0.123456789),
        (".5Gi", 0.5 * 1024**3),
        (2, 2),
    ],
)
def test_a_quantity_is_a_number(text: str, number: float) -> None:
    """Decimal and binary suffixes, exponents, and none; E alone is exa, and e6 an exponent."""
    assert parse(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "Mi", "1 Mi", "1MB", "one", "1K"])
def test_what_is_none_is_refused(text: str) -> None:
    """Nothing is read as a number that the API server would refuse."""
    with pytest.raises(ValueError, match="is not a quantity"):
        parse(text)
