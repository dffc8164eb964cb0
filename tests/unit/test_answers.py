"""A prediction is right, wrong, or open; and open wherever the measurement does not decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kitlib.claims import answers, choices
from kitlib.claims.register import claim
from kitlib.claims.score import score
from kitlib.claims.verdict import Condition, Predicted
from tests.unit.frames import judge, sizes, starts
from tests.unit.test_claims_refuted import each, frame
from tests.unit.test_overview import keep


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))
    return tmp_path


def _met(**conditions: bool | None) -> list[Condition]:
    return [Condition(name, met) for name, met in conditions.items()]


@pytest.mark.parametrize(
    ("met", "found"),
    [
        ((True, True), {"all": True, "some": False, "none": False}),
        ((True, False), {"all": False, "some": True, "none": False}),
        ((False, False), {"all": False, "some": False, "none": True}),
        ((True, None), {"all": None, "some": None, "none": False}),
        ((None, None), {"all": None, "some": None, "none": None}),
        ((True, False, None), {"all": False, "some": True, "none": False}),
    ],
)
def test_how_many_conditions_were_met(met: tuple[bool | None, ...], found: dict[str, bool | None]) -> None:
    """All, some or none; a condition that is not resolved leaves open what it could change."""
    conditions = [Condition(str(i), ok) for i, ok in enumerate(met)]

    assert {word: answers.matches(word, conditions, None) for word in found} == found


@pytest.mark.parametrize(("middle", "right"), [(9.9, False), (10.0, True), (19.9, True), (20.0, False), (None, None)])
def test_a_range_of_the_median(middle: float | None, right: bool | None) -> None:
    """From its lower end on, below its upper end; without a median nothing is decided."""
    assert answers.matches({"at_least": 10, "below": 20}, [], middle) is right


def test_a_range_is_open_while_the_rule_is() -> None:
    """A median whose interval includes the bound decides nothing."""
    assert answers.matches({"below": 20}, _met(size=None), 10.0) is None


def test_named_conditions() -> None:
    """Each has to be as the option says; one that was not measured leaves it open."""
    answer = {"met": ["a"], "unmet": ["b"]}

    assert answers.matches(answer, _met(a=True, b=False), None) is True
    assert answers.matches(answer, _met(a=True, b=True), None) is False
    assert answers.matches(answer, _met(a=True), None) is None


def test_a_failed_control_decides_nothing_but_itself() -> None:
    """Without its control the conditions show nothing; an option about the control can still be right."""
    conditions = [Condition("a", True), Condition("c", False, control=True)]

    assert answers.matches("all", conditions, None) is None
    assert answers.matches({"met": ["a"], "unmet": ["c"]}, conditions, None) is True


def test_an_option_that_the_rule_does_not_measure() -> None:
    """It is open, except where another option is what was measured: the options exclude each other."""
    offered: dict[str, Any] = {"yes": "all", "no, by chance": None, "no, by design": None}

    assert answers.judge("no, by chance", offered, _met(a=False), None) == Predicted("no, by chance", None)
    assert answers.judge("no, by chance", offered, _met(a=True), None) == Predicted("no, by chance", False, "yes")
    assert answers.judge("yes", offered, _met(a=False), None) == Predicted("yes", False)


def test_a_choice_that_is_no_longer_offered_is_none() -> None:
    """Nor is no choice a wrong one."""
    assert answers.judge(None, {"yes": "all"}, _met(a=True), None) is None
    assert answers.judge("maybe", {"yes": "all"}, _met(a=True), None) is None


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("90 % or more is saved", "You predicted “90 % or more is saved”; that is what was measured."),
        ("less than half is saved", "You predicted “less than half is saved”; measured: “90 % or more is saved”."),
    ],
)
def test_the_card_says_what_was_predicted(choice: str, said: str) -> None:
    """The choice beside what was measured, in the words of the options."""
    choices.keep("2.2-size", choice)
    shown = judge(sizes([800e6] * 3, [16e6] * 3))._repr_mimebundle_()

    assert said in shown["text/plain"] and said in shown["text/html"]


def test_without_a_prediction_the_card_does_not_speak_of_one() -> None:
    """A learner who made none does not read that."""
    shown = judge(sizes([800e6] * 3, [16e6] * 3))._repr_mimebundle_()

    assert "predict" not in shown["text/plain"] + shown["text/html"]


def test_the_score_counts_and_names_surprises(home: Path) -> None:
    """Right, wrong and open predictions; a wrong one comes with what was measured."""
    keep(home, sizes([800e6] * 3, [16e6] * 3))
    keep(home, starts([0, 0, 0]))
    choices.keep("2.2-size", "90 % or more is saved")
    choices.keep("2.3-dynamic", "it starts")
    choices.keep("3.2-rolling", "some always fail")
    found = score()

    assert dict(found.table["prediction"]) == {"2.2-size": "right", "2.3-dynamic": "wrong", "3.2-rolling": "open"}
    assert str(found) == "You made 3 predictions: 1 right, 1 wrong. 1 cannot be decided, or not yet."
    assert [v.claim for v in found.surprises] == ["2.3-dynamic"]
    assert "You predicted “it starts”; measured: “it does not start”." in repr(found)
    assert "did not start in any of 3 runs" in found._repr_html_()


def test_without_predictions_there_is_no_score() -> None:
    """No claim is shown as wrong."""
    assert len(score().table) == 0
    assert "You made no prediction yet" in repr(score()) and "What surprised you" not in repr(score())


def test_the_learner_of_all_three_options_of_a_rollout() -> None:
    """3.2-rolling: exactly one option is right for each outcome."""
    it = claim("3.2-rolling")
    outcomes = {
        (0, 0): "no request fails whatever the settings",
        (0, 9): "none fails with the right settings",
        (9, 9): "some always fail",
    }
    for (one, other), right in outcomes.items():
        rows = [*each("setting", ["drain, one more"], failed=one), *each("setting", ["abrupt, one more"], failed=other)]
        found = it.verdict(frame(it.id, rows))
        judged = {
            option: answers.judge(option, it.answers, found.conditions, found.median) for option in it.predictions
        }

        assert {option for option, p in judged.items() if p and p.right} == {right}
