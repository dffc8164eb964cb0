"""What a person would say: how many did what, which ones, and the worst; never a sign, a median of booleans or a tiny figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitlib.claims.register import claim
from kitlib.claims.rules.sentence import Thing, clauses, listed, outcome_of, sentence
from tests.unit.test_claims_refuted import each, frame


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))
    monkeypatch.setenv("KIT_HOME", str(tmp_path))


def _things(*met: bool) -> list[Thing]:
    return [Thing(f"t{i}", ok, "" if ok else f"{i} s", float(i)) for i, ok in enumerate(met)]


@pytest.mark.parametrize(
    ("met", "said"),
    [
        ((True, True, True), "all 3 tools passed"),
        ((True, True), "both tools passed"),
        ((True,), "t0 passed"),
        ((False, False, False), "all 3 tools failed; the worst was t2 with 2 s"),
        ((False,), "t0 failed (0 s)"),
        ((True, False), "t0 passed, and t1 failed (1 s)"),
        ((True, True, False), "2 of 3 tools passed; t2 (2 s) failed"),
        ((True, False, False), "1 of 3 tools passed: t0. The others failed; the worst was t2 with 2 s"),
    ],
)
def test_the_fewer_are_named(met: tuple[bool, ...], said: str) -> None:
    """Those that passed or those that failed, whichever are fewer; of many failures the worst."""
    assert outcome_of(_things(*met), "tools", "passed", "failed") == said


def test_clauses_of_one_subject() -> None:
    """What was so comes first, and what was not follows a but."""
    assert clauses(["ran", "had a user"], ["found no zone"], "it") == "it ran, and had a user, but found no zone"
    assert clauses([], ["did not run"], "it") == "it did not run"


def test_a_long_list_is_counted() -> None:
    """A sentence has at most five names; the details have them all."""
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert listed(["a"]) == "a"
    assert listed([]) == ""


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("it ran", "It ran."),
        ("os.Exit did not", "os.Exit did not."),
        ("“a b” ran.", "“a b” ran."),
        ("New ran", "New ran."),
    ],
)
def test_a_sentence_begins_and_ends(text: str, whole: str) -> None:
    """With a capital and a full stop; a name of a program keeps its letters."""
    assert sentence(text) == whole


def test_a_rollout_in_words() -> None:
    """3.2-rolling: the settings without a failed request by name, and the worst with its number."""
    rows = [
        *each("setting", ["drain, one more"], failed=0),
        *each("setting", ["abrupt, one more"], failed=[38, 39, 40]),
        *each("setting", ["abrupt, all at once"], failed=198),
    ]
    reading = claim("3.2-rolling").verdict(frame("3.2-rolling", rows).assign(unit="count")).reading

    assert reading == (
        "1 of 3 settings lost no request: “drain, one more”. The others lost requests; "
        "the worst was “abrupt, all at once” with 198 failed requests."
    )


def test_a_run_that_differs_is_counted() -> None:
    """Where some runs did as asked, the sentence says how many."""
    rows = each("fault", ["hang", "leak", "delay"], delivered=1, detected=3)
    rows[0] = ({"fault": "hang"}, {"delivered": [1, 0, 1], "detected": 3})
    found = claim("4.5-detect").verdict(frame("4.5-detect", rows).assign(unit="0/1"))

    assert "hang (as asked in 2 of 3 runs) raised another alert or none" in found.reading


def test_yes_and_no_have_no_median() -> None:
    """2.2-static: a card has yes and no in place of 1 and 0, and neither a median nor a spread of them."""
    rows = frame("2.2-static", each("cgo", ["off"], interpreter=0, libraries=0, scratch=1, alpine=1, distroless=1))
    rows.loc[rows["metric"] != "libraries", "unit"] = "0/1"
    found = claim("2.2-static").verdict(rows)
    shown = found._repr_mimebundle_()["text/plain"]

    assert "Without cgo, the program asked for no loader, needed no shared library" in found.reading
    assert "interpreter (off): measured no, asked for no, met yes" in shown
    assert "✓;" not in shown and "1 ✓" not in shown


def test_a_tiny_probability_is_below_a_bound() -> None:
    """3.3-stable: a p-value is compared with 0.001, and never written with a power of ten."""
    rows = [
        ({"connections": kind}, {"address_changed": 0, "p_value": p, "busiest": 33})
        for kind, p in (("new", 0.483), ("kept", 7.12e-218))
    ]
    found = claim("3.3-stable").verdict(frame("3.3-stable", rows))

    assert "New connections were spread evenly over the pods (p = 0.48)" in found.reading
    assert "requests over kept connections were spread unevenly (p < 0.001)" in found.reading
    assert "e-" not in found._repr_mimebundle_()["text/plain"]
