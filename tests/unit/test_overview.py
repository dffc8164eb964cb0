"""The table of all verdicts: nothing is claimed without rows, and what the rows say is what it shows."""

import json
from pathlib import Path

import pandas as pd
import pytest

from kitlib.claims import overview
from kitlib.claims import register as claims
from kitlib.claims.experiments import experiment
from kitlib.claims.predictions import predict
from kitlib.claims.register import not_measurable
from kitlib.claims.rows import load
from tests.unit import frames


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


def keep(results: Path, rows: pd.DataFrame) -> None:
    """As an experiment leaves them."""
    lines = [json.dumps({"kind": "row", **row}) for row in rows.to_dict("records")]
    (results / f"{rows['claim'].iloc[0]}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def test_without_rows_nothing_is_judged() -> None:
    """Before any measurement every claim of the register is without a verdict, and says which chapter measures it."""
    table = overview.verdicts()
    wanted = {c.id: f"Without a verdict: not measured yet: run {c.chapter}.ipynb" for c in claims.register()}

    assert dict(table["reading"]) == wanted
    assert set(table["verdict"]) == {"without a verdict"}
    assert set(table["n"]) == {0}


def test_rows_decide(results: Path) -> None:
    """The verdict of a claim comes from its rows, and other rows give another one; other claims stay as they are."""
    keep(results, frames.starts([0, 0, 0]))
    before = overview.verdicts()
    keep(results, frames.starts([1, 1, 1, 1]))
    after = overview.verdicts()

    assert list(before.loc["2.3-dynamic", ["verdict", "n", "median"]]) == ["refuted", 3, ""]  # no median of yes and no
    assert list(after.loc["2.3-dynamic", ["verdict", "n", "median"]]) == ["holds", 4, ""]
    assert set(after.drop("2.3-dynamic")["verdict"]) == {"without a verdict"}


def test_origin_is_shown(results: Path) -> None:
    """Profile and stamp of the rows, and the verdict that the register expects, stand beside the verdict."""
    keep(results, frames.starts([0, 0, 0]))
    row = overview.verdicts().loc["2.3-dynamic"]

    assert list(row[["expected", "profile", "stamp"]]) == ["refuted", "quick", "0123456789ab"]


def test_rows_that_do_not_fit_give_no_verdict(results: Path) -> None:
    """Rows that the rule cannot judge leave that claim without a verdict, with the reason, and do not hide the others."""
    wrong = frames.starts([0, 0, 0])
    keep(results, wrong.assign(metric="something else"))
    keep(results, frames.sizes([800e6] * 3, [20e6] * 3))
    table = overview.verdicts()

    assert table.loc["2.3-dynamic", "verdict"] == "without a verdict"
    assert "starts" in str(table.loc["2.3-dynamic", "reading"])
    assert table.loc["2.2-size", "verdict"] == "holds"


def test_prediction_stands_beside_the_verdict() -> None:
    """What the learner predicted is shown with its claim, and only there."""
    of = claims.claim("2.3-dynamic")
    predict(of).set(of.predictions[1])
    table = overview.verdicts()

    assert table.loc["2.3-dynamic", "you predicted"] == of.predictions[1]
    assert set(table.drop("2.3-dynamic")["you predicted"]) == {""}


def test_what_an_experiment_says_cannot_be_measured_is_shown_as_such(results: Path) -> None:
    """A claim of which the chapter said that this place cannot measure it has that reason, until rows are measured."""
    of = claims.claim("2.3-dynamic")
    not_measurable(of, "there is no KVM")
    before = overview.verdicts().loc["2.3-dynamic"]
    with (results / "2.3-dynamic.jsonl").open("a") as file:
        file.writelines(json.dumps({"kind": "row", **row}) + "\n" for row in frames.starts([0]).to_dict("records"))

    assert (before["verdict"], before["reading"]) == ("not measurable", "Not measurable here: there is no KVM")
    assert overview.verdicts().loc["2.3-dynamic", "verdict"] == "refuted"


def test_an_experiment_that_broke_off_gives_no_verdict() -> None:
    """The rows that were measured before the error are kept and not judged; a whole experiment after it is."""
    of = claims.claim("2.3-dynamic")
    values = iter([0.0, 0.0])

    def breaks(**_: str) -> float:
        return next(values)

    with pytest.raises(StopIteration):
        experiment(of, breaks, over={"dockerfile": ["guide-2.3"]}, repeats=3)
    before = overview.verdicts().loc["2.3-dynamic"]
    experiment(of, lambda **_: 0.0, over={"dockerfile": ["guide-2.3"]}, repeats=3)

    assert len(load(of.id)) == 3
    assert before["verdict"] == "without a verdict"
    assert "broke off" in str(before["reading"])
    assert overview.verdicts().loc["2.3-dynamic", "verdict"] == "refuted"
