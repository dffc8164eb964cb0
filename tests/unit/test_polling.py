"""Asking until the answer is the wanted one."""

from collections.abc import Iterator

import pytest

from kitlib.errors import WaitTimeout
from kitlib.telemetry import polling


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "LOOK", 0.0)


def test_the_first_answer_that_is_done() -> None:
    """And none is asked for after it."""
    answers: Iterator[int] = iter(range(10))
    found = polling.until(lambda: next(answers), lambda n: n == 3, failure=str, seconds=5)

    assert found == 3
    assert next(answers) == 4


def test_a_deadline_says_what_was_seen_last() -> None:
    """With what is observed then, and the next step."""
    with pytest.raises(WaitTimeout, match="saw 7 after 0 s") as caught:
        polling.until(
            lambda: 7, lambda _: False, failure=lambda n: f"saw {n}", seconds=0, observed=lambda: ["a pod"], hint="look"
        )

    assert caught.value.observed == ("a pod",)
    assert caught.value.hint == "look"


def test_a_count_settles_when_it_is_enough() -> None:
    """However patient one is."""
    counts = iter([1, 1, 2, 5, 9])

    assert polling.settled(lambda: next(counts), enough=5, patience=60) == 5


def test_a_count_settles_when_it_stays() -> None:
    """At the most that was ever seen: a store may forget again what it had shown."""
    counts = iter([3, *[1] * 10_000_000])

    assert polling.settled(lambda: next(counts), enough=5, patience=0.01) == 3
