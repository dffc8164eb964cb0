"""Sizes, one step after another."""

from kitlib.measure.images.size import steps
from tests.unit.frames import figures


def test_a_step_is_the_difference() -> None:
    """Each row has what is left and what went, in the order given; the first has changed nothing."""
    found = steps(figures(800e6, 15e6, 3e6), ["base", "single-stage", "guide-2.3"])

    assert list(found.index) == ["base", "single-stage", "guide-2.3"]
    assert list(found["size"]) == ["3 MB", "800 MB", "15 MB"]
    assert list(found["change"]) == ["", "+797 MB", "−785 MB"]
