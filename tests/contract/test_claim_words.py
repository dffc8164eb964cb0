"""Every claim has its words: each condition of the register has them, and each prediction has its answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kitlib.claims import answers
from kitlib.claims.register import Claim, claim, register
from tests.unit.test_claims_refuted import REFUTED, frame

OPEN = {"2.1-start"}  # not measurable: the chapter measures something beside the claim


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))
    monkeypatch.setenv("KIT_HOME", str(tmp_path))


@pytest.mark.parametrize("it", register(), ids=lambda c: c.id)
def test_a_condition_has_words(it: Claim) -> None:
    """What was so where it was met and where it was not, and what is counted; the words stand for no sign and no bare name."""
    for check in it.rule.get("checks", ()):
        needed = {"met", "unmet", *(["things"] if "each" in check else [])}
        assert needed <= check.keys(), check
        assert not str(check["unmet"]).endswith("did not"), "where none is met, there is nothing that it refers to"
    if it.rule["kind"] == "equals":
        assert {"subject", "met", "unmet"} <= it.rule.keys()


@pytest.mark.parametrize("it", register(), ids=lambda c: c.id)
def test_a_reading_is_a_sentence(it: Claim) -> None:
    """It begins with a capital or a name, ends with a full stop, and has no sign, no name of a metric and no power of ten."""
    reading = it.verdict(frame(it.id, REFUTED[it.id])).reading
    metrics = {c["metric"] for c in it.rule.get("checks", ()) if "_" in c["metric"]}

    assert reading.endswith(".")
    assert not re.search(r"[✓✗]|conditions are met|\de[-+]\d|\b[a-z]+_[a-z]+\b|\{", reading), reading
    assert not any(metric in reading for metric in metrics)


@pytest.mark.parametrize("it", register(), ids=lambda c: c.id)
def test_a_prediction_can_be_told(it: Claim) -> None:
    """Every claim has two options or more, with an answer each; no two of them have the same one; one at least can be right."""
    known = [answer for answer in it.answers.values() if answer is not None]

    assert len(it.predictions) >= 2
    assert tuple(it.answers) == it.predictions
    assert len({repr(answer) for answer in known}) == len(known)
    assert bool(known) == (it.id not in OPEN)


@pytest.mark.parametrize("it", [c for c in register() if c.id not in OPEN], ids=lambda c: c.id)
def test_rows_that_refute_a_claim_do_not_confirm_it(it: Claim) -> None:
    """Of rows that refute it, at most one option is right, and it is not that all conditions are met."""
    found = it.verdict(frame(it.id, REFUTED[it.id]))
    right = [o for o, a in it.answers.items() if answers.matches(a, found.conditions, found.median)]

    assert len(right) <= 1, right
    assert "all" not in [it.answers[option] for option in right]


def _names(it: Claim) -> set[str]:
    return {n for a in it.answers.values() if isinstance(a, dict) for key in ("met", "unmet") for n in a.get(key, ())}


@pytest.mark.parametrize("it", [c for c in register() if _names(c)], ids=lambda c: c.id)
def test_an_answer_names_conditions_that_there_are(it: Claim) -> None:
    """A named condition is one of a metric and a level that the rule asks of; `each` has levels that only a run knows."""
    fixed = {str(level) for check in it.rule["checks"] for level in check.get("where", {}).values()}
    metrics = {check["metric"] for check in it.rule["checks"]}
    free = any("each" in check for check in it.rule["checks"])
    for name in _names(it):
        metric, _, level = name.removesuffix(")").partition(" (") if " (" in name else ("", "", name)
        assert not metric or metric in metrics, name
        assert free or all(part in fixed for part in level.split(" · ")), name


def test_the_words_of_a_claim_are_for_it() -> None:
    """A verdict repeats the claim's sentence."""
    it = claim("3.2-rolling")

    assert it.verdict(frame(it.id, REFUTED[it.id])).says == it.says
