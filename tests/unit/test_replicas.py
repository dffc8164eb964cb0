"""What a course of ready replicas comes to."""

from __future__ import annotations

import pytest

from kitlib.measure.workloads.replicas import Moment, judge


def test_time_below_is_summed_over_every_gap() -> None:
    """Between two evictions all may be back; that time does not count."""
    course = [Moment(0, 3), Moment(1, 2), Moment(2.5, 3), Moment(4, 2), Moment(5, 3)]

    assert judge(course, 3) == {"always": 0, "returned": 1, "below_seconds": pytest.approx(2.5), "back_seconds": 5}


def test_never_below_is_no_time_below() -> None:
    """A restart that is quicker than its news has no gap to measure."""
    found = judge([Moment(0, 3), Moment(1, 3)], 3)

    assert found == {"always": 1, "returned": 1, "below_seconds": 0, "back_seconds": 1}


def test_a_gap_too_short_for_the_clock_is_a_gap() -> None:
    """Two replicas for no measurable time are not three at all times."""
    assert judge([Moment(0, 3), Moment(1, 2), Moment(1, 3)], 3)["always"] == 0


@pytest.mark.parametrize("stuck", [True, False])
def test_without_a_return_there_are_no_seconds(stuck: bool) -> None:
    """How long the wait would have been is not known, and so it is not reported."""
    assert judge([Moment(0, 3), Moment(1, 2, stuck)], 3) == {"always": 0, "returned": 0}
