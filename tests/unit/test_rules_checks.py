"""Conditions and formulas: each verdict of the two rules, from rows alone; and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitlib.claims.register import Claim
from kitlib.claims.rules import RULES
from kitlib.errors import ClaimError
from kitlib.views.plots import plot
from tests.unit.frames import rows

FAILED = {
    "kind": "checks",
    "headline": "failed",
    "checks": [{"metric": "failed", "is": "==", "value": 0, "each": "way"}],
}
DETECTION = {"kind": "agreement", "column": "way", "metric": "took", "predicted": "formula", "within": 0.1}


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


def _claim(rule: Mapping[str, Any]) -> Claim:
    words: dict[str, Any] = {"section": "0", "chapter": "x", "title": "t", "says": "s", "metric": "m", "unit": "count"}
    return Claim(id="x-1", **words, rule=rule, expected="holds", deterministic=True)


def _frame(**metrics: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    return pd.DataFrame([row for name, values in metrics.items() for row in rows("x-1", "way", name, values, "s")])


@pytest.mark.parametrize(
    ("values", "word", "reason"),
    [
        ({"a": [0, 0], "b": [0, 0]}, "holds", ""),
        ({"a": [0, 0], "b": [0, 3]}, "depends", "not met by: b"),
        ({"a": [1, 0], "b": [2, 3]}, "refuted", ""),
    ],
)
def test_a_check_for_each_level(values: dict[str, list[float]], word: str, reason: str) -> None:
    """Every repeat of every level has to meet it; a split verdict says which levels do."""
    found = _claim(FAILED).verdict(_frame(failed=values))

    assert (word, reason) == (found.verdict, found.reason)
    assert found.n == 4


def test_levels_come_in_the_order_of_their_numbers() -> None:
    """Conditions go from the shortest to the longest, whatever was measured first."""
    found = _claim(FAILED).verdict(_frame(failed={"12 s": [0], "2 s": [0], "0.5 s": [0]}))

    assert [(c.name, c.told) for c in found.conditions] == [("0.5 s", "0 s"), ("2 s", "0 s"), ("12 s", "0 s")]


def test_of_some_and_where() -> None:
    """`of: some` is met by one run; `where` looks at one level only."""
    rule = {**FAILED, "checks": [
        {"metric": "failed", "is": "==", "value": 0, "where": {"way": "right"}},
        {"metric": "failed", "is": ">", "value": 0, "where": {"way": "wrong"}, "of": "some"},
    ]}  # fmt: skip
    shown = _claim(rule).verdict(_frame(failed={"right": [0, 0], "wrong": [0, 4]}))
    not_shown = _claim(rule).verdict(_frame(failed={"right": [0, 0], "wrong": [0, 0]}))

    assert shown.verdict == "holds"
    assert (not_shown.verdict, not_shown.reason) == ("depends", "not met by: wrong")


def test_two_checks_of_one_level_have_two_names() -> None:
    """The reason can tell them apart."""
    rule = {**FAILED, "headline": "took", "checks": [
        {"metric": "took", "is": "<=", "value": 5, "where": {"way": "a"}},
        {"metric": "failed", "is": "==", "value": 0, "where": {"way": "a"}},
    ]}  # fmt: skip
    found = _claim(rule).verdict(_frame(took={"a": [9.0]}, failed={"a": [0.0]}))

    assert found.reason == "not met by: took (a)"


@pytest.mark.parametrize(
    ("took", "word"),
    [
        ({"fast": [4.8, 5.2, 5.0], "slow": [24, 26, 25]}, "holds"),
        ({"fast": [4.8, 5.2, 5.0], "slow": [34, 36, 35]}, "depends"),
        ({"fast": [7.8, 7.2, 7.0], "slow": [34, 36, 35]}, "refuted"),
    ],
)
def test_agreement_with_a_formula(took: dict[str, list[float]], word: str) -> None:
    """The mean of each level against its prediction; the sample is in percent of it."""
    found = _claim(DETECTION).verdict(_frame(took=took, formula={"fast": [5.0] * 3, "slow": [25.0] * 3}))

    assert word == found.verdict
    assert (found.n, found.unit) == (6, "% of predicted")


@pytest.mark.parametrize(
    ("took", "word", "reason"),
    [
        ({"fast": [4.0, 6.2]}, "depends", "not resolved, as the interval includes the bound: fast"),
        (
            {"fast": [4.0, 6.2], "slow": [25.0, 25.1]},
            "depends",
            "within the bound: slow; not resolved, as the interval includes the bound: fast",
        ),
        (
            {"fast": [4.0, 6.2], "slow": [45.0, 45.1]},
            "depends",
            "outside it: slow; not resolved, as the interval includes the bound: fast",
        ),
    ],
)
def test_agreement_is_not_resolved_by_an_interval_on_both_sides(
    took: dict[str, list[float]], word: str, reason: str
) -> None:
    """A mean within the bound decides nothing while its interval reaches beyond it, whatever the others say."""
    predicted = {level: [{"fast": 5.0, "slow": 25.0}[level]] * 2 for level in took}
    found = _claim(DETECTION).verdict(_frame(took=took, formula=predicted))

    assert (found.verdict, found.reason) == (word, reason)


def test_agreement_has_a_median_for_each_level_and_none_for_all() -> None:
    """Two levels have nothing in common that one median could stand for; a single one has."""
    both = {"fast": [5.0, 5.0], "slow": [25.0, 26.0]}
    found = _claim(DETECTION).verdict(_frame(took=both, formula={"fast": [5.0] * 2, "slow": [25.0] * 2}))
    alone = _claim(DETECTION).verdict(_frame(took={"slow": [25.0, 26.0]}, formula={"slow": [25.0] * 2}))

    assert (found.median, found.iqr) == (None, None)
    assert [(s.treatment, s.n, s.median, s.unit) for s in found.treatments] == [
        ("fast", 2, 5.0, "s"),
        ("slow", 2, 25.5, "s"),
    ]
    assert alone.median == pytest.approx(102)


def test_conditions_have_a_median_for_each_treatment_that_they_name() -> None:
    """Eight unlike conditions have no common median; one treatment has its own."""
    found = _claim(FAILED).verdict(_frame(failed={"10 s": [4, 6], "2 s": [0, 0]}))
    alone = _claim(FAILED).verdict(_frame(failed={"2 s": [0, 2]}))

    assert (found.n, found.median, found.iqr) == (4, None, None)
    assert [(s.treatment, s.n, s.median, s.iqr) for s in found.treatments] == [("2 s", 2, 0, 0), ("10 s", 2, 5, 1)]
    assert (alone.median, alone.iqr) == (1, 1)


def test_a_threshold_of_the_kits_own_is_no_refutation() -> None:
    """Missed everywhere, it says depends; beside a condition of the guide itself that also fails, the word is refuted."""
    check = {"metric": "took", "is": "<=", "value": 5, "each": "way", "own": True}
    own = {**FAILED, "headline": "took", "checks": [check]}
    both = {**own, "checks": [check, FAILED["checks"][0]]}
    rows = _frame(took={"a": [9.0], "b": [8.0]}, failed={"a": [1.0], "b": [1.0]})
    mildest, refuted = _claim(own).verdict(rows), _claim(both).verdict(rows)

    assert (mildest.verdict, mildest.own) == ("depends", ("took at most 5",))
    assert "The kit's own threshold, which cannot refute the guide: took at most 5." in mildest.remarks
    assert "so it cannot refute the claim." in mildest.reading and "cannot refute" not in refuted.reading
    assert refuted.verdict == "refuted"


def test_a_control_is_no_condition() -> None:
    """Met, it does not soften a refutation; not met, nothing is decided."""
    rule = {**FAILED, "checks": [
        {"metric": "failed", "is": "==", "value": 0, "where": {"way": "nothing"}, "control": True},
        {"metric": "failed", "is": "==", "value": 0, "each": "way", "except": "nothing"},
    ]}  # fmt: skip
    met = _claim(rule).verdict(_frame(failed={"nothing": [0], "a": [3], "b": [4]}))
    failed = _claim(rule).verdict(_frame(failed={"nothing": [1], "a": [0], "b": [0]}))

    assert (met.verdict, met.reason) == ("refuted", "")
    assert [(c.name, c.met, c.control) for c in met.conditions] == [
        *(("nothing", True, True), ("a", False, False), ("b", False, False))
    ]
    assert failed.reading.startswith("The control failed: ") and failed.reading.endswith("the conditions show nothing.")
    assert failed.verdict == "depends"
    assert failed.reason == "the control failed, so that the conditions show nothing: nothing"


def test_a_condition_on_no_level_is_an_error() -> None:
    """A check that looks at nothing would be met by nothing."""
    rule = {**FAILED, "checks": [{**FAILED["checks"][0], "except": "a"}]}  # type: ignore[dict-item]

    with pytest.raises(ClaimError, match="no rows of metric 'failed' for any way"):
        _claim(rule).verdict(_frame(failed={"a": [0]}))


def test_a_prediction_of_zero_is_met_by_zero_alone() -> None:
    """No division: what should take no time may take none."""
    at_once = _claim(DETECTION).verdict(_frame(took={"a": [0.0]}, formula={"a": [0.0]}))
    late = _claim(DETECTION).verdict(_frame(took={"a": [1.0]}, formula={"a": [0.0]}))

    assert (at_once.verdict, late.verdict) == ("holds", "refuted")


def test_words_say_what_is_asked() -> None:
    """Before anything is measured, a reader knows what will be judged."""
    assert "failed is 0 in every run of each way" in _claim(FAILED).rule_in_words
    assert "within 10 % of formula for every way" in _claim(DETECTION).rule_in_words


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"metric": "failed", "is": "=", "value": 0}, "is one of"),
        ({"metric": "failed", "is": "=="}, "needs metric, is and value"),
        ({"metric": "failed", "is": "==", "value": "0"}, "not a number"),
        ({"metric": "failed", "is": "==", "value": 0, "of": "most"}, "of is every or some"),
        ({"metric": "failed", "is": "==", "value": 0, "except": "a"}, "except without each"),
        ({"metric": "failed", "is": "==", "value": 0, "control": True}, "every check is a control"),
        (
            {"metric": "failed", "is": "==", "value": 0, "level": "a"},
            "may have control, each, except, label, met, of, own, things, unmet, where",
        ),
    ],
)
def test_a_check_that_makes_no_sense_is_refused(check: dict[str, Any], message: str) -> None:
    """When the register is read, not when the chapter has run."""
    with pytest.raises(ClaimError, match=message):
        RULES["checks"].check({"headline": "failed", "checks": [check]})


def test_the_plot_of_an_agreement_has_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured and predicted means, in the picture's words and in its table."""
    monkeypatch.setattr("kitlib.views.plots.claim", lambda _: _claim(DETECTION))
    monkeypatch.setattr("kitlib.views.plots.agreement.claim", lambda _: _claim(DETECTION))
    drawn = plot(_frame(took={"fast": [4.8, 5.2], "slow": [24.0, 26.0]}, formula={"fast": [5.0], "slow": [20.0]}))

    assert "slow 25 s against 20 s" in drawn.alt
    assert list(drawn.table["off by"]) == ["+0.0 %", "+25.0 %"]
    assert drawn.svg.startswith("<svg")
