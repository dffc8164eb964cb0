"""What a verdict tells beside its word: drift, environments, stand-ins, and the card that shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kitlib.claims.register import claim, not_measurable
from kitlib.claims.verdict import without
from tests.unit.frames import judge, sizes, starts


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


def test_rows_from_two_environments_are_told() -> None:
    """Rows of several stamps are judged under the newest, and the details say so."""
    runs = starts([0, 0])
    runs.loc[runs.index[-1], "stamp"] = "ffffffffffff"
    found = judge(runs)

    assert found.stamp == "ffffffffffff"
    assert "The rows come from 2 environments." in found.remarks
    assert "The rows come from 2 environments." in found._repr_mimebundle_()["text/plain"]


def test_drift_is_another_verdict_than_expected() -> None:
    """The register expects the guide's Dockerfile of 2.3 to fail."""
    assert not judge(starts([0])).drift
    assert judge(starts([1])).drift


def test_as_dict_is_the_entry_of_results_json(tmp_path: Path) -> None:
    """All that the report promises, with the environment behind the stamp, as JSON."""
    env = {"kernel": "6.1", "bases": {"alpine": {"reference": "kit.local/alpine", "stands_for": "alpine:3"}}}
    line = {"kind": "environment", "stamp": "0123456789ab", "environment": env}
    (tmp_path / "2.3-dynamic.jsonl").write_text(json.dumps(line) + "\n")
    found = json.loads(json.dumps(judge(starts([0, 0])).as_dict()))

    assert {"claim", "verdict", "n", "median", "iqr", "unit", "stamp", "reading", "expected"} <= found.keys()
    assert found["stamp"] == {"id": "0123456789ab", **env}


def test_a_stand_in_is_told_on_the_card(tmp_path: Path) -> None:
    """A figure from a stand-in base is never read as a figure of the original."""
    env = {"bases": {"alpine": {"reference": "kit.local/alpine", "stands_for": "alpine:3"}}}
    line = {"kind": "environment", "stamp": "0123456789ab", "environment": env}
    (tmp_path / "2.3-dynamic.jsonl").write_text(json.dumps(line) + "\n")
    bundle = judge(starts([0]))._repr_mimebundle_()

    assert "kit.local/alpine stands for alpine:3" in bundle["text/html"]
    assert "kit.local/alpine stands for alpine:3" in bundle["text/plain"]


def test_the_card_shows_the_verdict_in_words() -> None:
    """Verdict, reading, n, median, IQR and stamp, in both forms, and no colour that fails on dark or light."""
    found = judge(sizes([100e6, 100e6, 100e6], [2e6, 4e6, 6e6]))
    bundle = found._repr_mimebundle_()

    for shown in bundle.values():
        for part in (
            "holds",
            "n = 3",
            "median 96 %",
            "IQR 2 %",
            "0123456789ab",
            "The image size fell by 96 %",
            found.says,
        ):
            assert part in shown
    assert "#" not in bundle["text/html"]


def test_not_measurable_says_why() -> None:
    """Without a measurement there is no figure, only the reason."""
    found = not_measurable(claim("2.3-surface"), "there is no <database>")

    assert (found.verdict, found.n, found.median, found.iqr) == ("not-measurable", 0, None, None)
    assert "there is no &lt;database&gt;" in found._repr_mimebundle_()["text/html"]
    assert found._repr_mimebundle_()["text/plain"].count("there is no <database>") == 1


def test_without_a_verdict_is_neither_drift_nor_a_figure() -> None:
    """What broke off has a reason, no figure, a word of its own, and is never an unexpected verdict."""
    found = without(claim("2.3-surface"), "the chapter stopped at cell 4")

    assert (found.verdict, found.label, found.n, found.drift) == ("none", "without a verdict", 0, False)
    assert "register expects" not in found._repr_mimebundle_()["text/plain"]
    assert "? without a verdict" in found._repr_mimebundle_()["text/html"]
    assert found.as_dict()["reason"] == "the chapter stopped at cell 4"
