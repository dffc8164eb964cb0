"""The learner's prediction: kept until another one is made, and asked for in the way that fits."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from kitlib.claims.predictions import predict
from kitlib.claims.register import claim
from kitlib.errors import UsageError

SIZE = claim("2.2-size")
FIRST, *_, LAST = SIZE.predictions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


def test_no_prediction_at_first() -> None:
    """Nothing is predicted until the learner does."""
    assert predict(SIZE).choice is None


def test_newest_prediction_counts() -> None:
    """A prediction is kept, and the newest one counts."""
    predict(SIZE).set(FIRST)
    first = predict(SIZE).choice
    predict(SIZE).set(LAST)

    assert (first, predict(SIZE).choice) == (FIRST, LAST)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "\0"])
def test_damaged_predictions_are_set_aside(home: Path, text: str) -> None:
    """A file that is none is kept under another name, which a warning tells, and predictions begin anew."""
    (home / "predictions.json").write_text(text)
    with pytest.warns(UserWarning, match=r"kept as .*predictions\.damaged"):
        choice = predict(SIZE).choice
    predict(SIZE).set(FIRST)

    assert (choice, predict(SIZE).choice) == (None, FIRST)
    assert (home / "predictions.damaged").read_text() == text


def test_each_claim_has_its_own() -> None:
    """A prediction of one claim leaves those of others as they are."""
    other = claim("2.3-dynamic")
    predict(SIZE).set(FIRST)
    predict(other).set(other.predictions[0])

    assert [predict(c).choice for c in (SIZE, other)] == [FIRST, other.predictions[0]]


def test_other_words_are_refused() -> None:
    """A prediction that is not offered is wrong usage, names those that are, and changes nothing."""
    predict(SIZE).set(FIRST)
    with pytest.raises(UsageError) as caught:
        predict(SIZE).set("a lot")

    assert caught.value.hint == f"one of: {'; '.join(SIZE.predictions)}"
    assert predict(SIZE).choice == FIRST


def test_prediction_survives_the_kernel() -> None:
    """Another process finds the prediction, and nothing but the file of predictions is left behind."""
    predict(SIZE).set(LAST)
    script = "import kitlib as kit; print(kit.predict(kit.claim('2.2-size')).choice)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert found == f"{LAST}\n"


def test_no_partial_file_is_left(home: Path) -> None:
    """A prediction is written whole, beside the old one, and takes its place."""
    predict(SIZE).set(FIRST)

    assert [p.name for p in home.iterdir()] == ["predictions.json"]


def test_prediction_that_is_offered_no_more_is_none() -> None:
    """After the register's choices changed, an old prediction does not count, and the claim can be shown and predicted."""
    predict(SIZE).set(FIRST)
    changed = predict(dataclasses.replace(SIZE, predictions=("fewer", "more")))

    assert changed.choice is None
    assert changed._buttons().children[2].value is None


def test_headless_run_gets_text() -> None:
    """In a headless run, the question and later the choice are text."""
    asked = predict(SIZE)._repr_mimebundle_()
    predict(SIZE).set(FIRST)
    kept = predict(SIZE)._repr_mimebundle_()

    assert asked["text/plain"] == f"{SIZE!r}\nwhat do you expect? {' / '.join(SIZE.predictions)}"
    assert kept["text/plain"] == f"{SIZE!r}\nyou predicted: {FIRST}"
    assert {*asked, *kept} == {"text/plain", "text/html"}


def test_learner_gets_buttons(monkeypatch: pytest.MonkeyPatch) -> None:
    """In JupyterLab the choices are buttons, the kept one is pressed, and pressing another keeps that."""
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    predict(SIZE).set(FIRST)
    buttons = predict(SIZE)._buttons().children[2]
    offered, pressed = buttons.options, buttons.value
    buttons.value = LAST

    assert "application/vnd.jupyter.widget-view+json" in predict(SIZE)._repr_mimebundle_()
    assert (offered, pressed) == (SIZE.predictions, FIRST)
    assert predict(SIZE).choice == LAST
