"""Change the measurement and the verdict changes: each rule, with rows that lead to each of its verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitlib.claims import claim
from kitlib.errors import ClaimError
from kitlib.verdict import Verdict, not_measurable

Values = Sequence[float]


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


def rows(claim_id: str, column: str, metric: str, values: Mapping[str, Values], unit: str) -> list[dict[str, Any]]:
    same = {"started_at": "2026-01-01T00:00:00.000+00:00", "profile": "quick", "run": "r", "stamp": "0123456789ab"}
    return [
        {"claim": claim_id, "metric": metric, column: level, "repeat": i, "value": float(value), "unit": unit, **same}
        for level, measured in values.items()
        for i, value in enumerate(measured, 1)
    ]


def sizes(single: Values, multi: Values) -> pd.DataFrame:
    values = {"single-stage": single, "guide-2.2": multi}
    compressed = {level: [v / 3 for v in some] for level, some in values.items()}
    found = rows("2.2-size", "dockerfile", "size", values, "B")
    return pd.DataFrame(found + rows("2.2-size", "dockerfile", "compressed", compressed, "B"))


def figures(single: float, multi: float, base: float) -> pd.DataFrame:
    values = {"single-stage": [single], "guide-2.3": [multi], "base": [base], "scratch": [9e6]}
    return pd.DataFrame(rows("2.3-numbers", "image", "size", values, "B"))


def starts(guide: Values) -> pd.DataFrame:
    return pd.DataFrame(rows("2.3-dynamic", "dockerfile", "starts", {"guide-2.3": guide, "fixed": [1, 1]}, "0/1"))


SURFACE = ("executables", "setuid", "packages", "shells", "components")


def surface(**changes: Values) -> pd.DataFrame:
    """Three images in order of size; every metric rises with it, unless changed."""
    metrics: dict[str, Values] = {"size": [9e6, 20e6, 800e6], **dict.fromkeys(SURFACE, (1, 2, 30)), **changes}
    images = ("scratch", "alpine", "single-stage")
    return pd.DataFrame(
        row
        for metric, values in metrics.items()
        for row in rows(
            "2.3-surface",
            "image",
            metric,
            {i: [v] for i, v in zip(images, values, strict=True)},
            "B" if metric == "size" else "count",
        )
    )


def startup(seconds_per_100mb: float, noise: float = 0.05, repeats: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    mb = {"scratch": 4.0, "alpine": 8.0, "single-stage": 300.0}
    seconds = {i: list(5 + size / 100 * seconds_per_100mb + rng.normal(0, noise, repeats)) for i, size in mb.items()}
    found = rows("2.3-startup", "image", "ready_seconds", seconds, "s")
    return pd.DataFrame(found + rows("2.3-startup", "image", "compressed_mb", {i: [s] for i, s in mb.items()}, "MB"))


def judge(runs: pd.DataFrame) -> Verdict:
    return claim(str(runs["claim"].iloc[0])).verdict(runs)


@pytest.mark.parametrize(
    ("runs", "word"),
    [
        pytest.param(sizes([800e6] * 3, [16e6] * 3), "holds", id="reduction-of-98-percent"),
        pytest.param(sizes([800e6], [80e6]), "holds", id="reduction-at-the-bound"),
        pytest.param(sizes([800e6] * 3, [160e6] * 3), "refuted", id="reduction-of-80-percent"),
        pytest.param(figures(850e6, 14e6, 8e6), "holds", id="figures-all-fit"),
        pytest.param(figures(1100e6, 14e6, 8e6), "depends", id="figures-some-fit"),
        pytest.param(figures(1100e6, 30e6, 12e6), "refuted", id="figures-none-fits"),
        pytest.param(starts([1, 1, 1]), "holds", id="equals-always"),
        pytest.param(starts([0, 1, 1]), "depends", id="equals-at-times"),
        pytest.param(starts([0, 0, 0]), "refuted", id="equals-never"),
        pytest.param(surface(), "holds", id="monotone-all"),
        pytest.param(surface(setuid=[3, 0, 5]), "depends", id="monotone-some"),
        pytest.param(surface(**dict.fromkeys(SURFACE, (3, 2, 1))), "refuted", id="monotone-none"),
        pytest.param(startup(1.2), "holds", id="slope-up"),
        pytest.param(startup(-1.2), "refuted", id="slope-down"),
        pytest.param(startup(0.0, noise=2.0), "depends", id="slope-unresolved"),
    ],
)
def test_each_rule_gives_each_of_its_verdicts(runs: pd.DataFrame, word: str) -> None:
    """The verdict follows from the rows alone."""
    assert judge(runs).verdict == word


def test_reduction_reads_both_sizes() -> None:
    """n, median and IQR are of the saving in percent; the reading gives the compressed one too."""
    found = judge(sizes([100e6, 100e6, 100e6], [2e6, 4e6, 6e6]))

    assert (found.n, found.unit) == (3, "%")
    assert (found.median, found.iqr) == pytest.approx((96.0, 2.0))
    assert "96 % of size and 96 % of compressed" in found.reading
    assert "100 MB to 4 MB" in found.reading


def test_figures_name_what_fits_and_the_smallest() -> None:
    """The reason tells which figures fit; a base is no candidate for the smallest image."""
    found = judge(figures(1100e6, 14e6, 8e6))

    assert found.reason == "fits: guide-2.3, base; does not fit: single-stage"
    assert "smallest found is scratch with 9 MB" in found.reading
    assert (found.n, found.median, found.unit) == (1, 14e6, "B")


@pytest.mark.parametrize(("single", "fits"), [(600e6, True), (599e6, False), (1000e6, True), (1001e6, False)])
def test_figures_within_a_quarter(single: float, fits: bool) -> None:
    """25 % on either side of the guide's figure, bounds included."""
    word = "holds" if fits else "depends"

    assert judge(figures(single, 15e6, 8e6)).verdict == word


def test_equals_compares_with_the_other_treatment() -> None:
    """The reading counts the runs and shows what the fixed Dockerfile did."""
    assert judge(starts([0, 0])).reading == "starts was 1 in 0 of 2 runs of guide-2.3 (to compare, fixed 1)."


def test_monotone_names_what_breaks_the_order() -> None:
    """The reason names the metric; the sample is the share of pairs in order, one a metric."""
    found = judge(surface(setuid=[3, 0, 5]))

    assert "does not keep the order: setuid" in found.reason
    assert (found.n, found.median) == (5, 100.0)


def test_monotone_says_what_never_differs() -> None:
    """A metric that is the same in all images keeps the order, and the reading says that it shows nothing."""
    found = judge(surface(setuid=[0, 0, 0]))

    assert found.verdict == "holds"
    assert "setuid is the same everywhere" in found.reading


def test_monotone_follows_size_not_the_order_of_rows() -> None:
    """The images are put in order of size first."""
    runs = surface()

    assert judge(runs.iloc[::-1]).reading == judge(runs).reading


def test_slope_is_given_per_100_mb_with_its_interval() -> None:
    """The median is near the slope that was put in, in seconds per 100 MB, over all trials."""
    found = judge(startup(1.2))

    assert (found.n, found.unit) == (15, "s per 100 MB")
    assert found.median == pytest.approx(1.2, abs=0.1)
    assert found.iqr is not None
    assert 0 < found.iqr < 0.1
    assert "95 % interval 1.1" in found.reading


def test_slope_is_not_resolved_by_few_repeats() -> None:
    """With two repeats a size nothing is concluded, however clear it looks."""
    found = judge(startup(1.2, repeats=2))

    assert (found.verdict, found.n, found.median, found.iqr) == ("depends", 6, None, None)
    assert "not resolved with 6 trials" in found.reason


@pytest.mark.parametrize(
    ("runs", "missing"),
    [
        (sizes([800e6], [16e6]).query("dockerfile != 'guide-2.2'"), "'size' for dockerfile=guide-2.2"),
        (sizes([800e6], [16e6]).query("metric != 'compressed'"), "'compressed' for dockerfile=single-stage"),
        (sizes([800e6, 800e6], [16e6]), "do not pair up"),
        (figures(8e8, 15e6, 8e6).query("image != 'base'"), "'size' for image=base"),
        (starts([1]).query("dockerfile == 'fixed'"), "'starts' for dockerfile=guide-2.3"),
        (surface().query("metric != 'shells'"), "'shells'"),
        (surface().query("metric != 'shells' or image != 'alpine'"), "'shells' for image=alpine"),
        (surface().query("image == 'alpine'"), "at least two levels"),
        (startup(1).query("metric != 'compressed_mb'"), "'compressed_mb'"),
        (startup(1).query("metric != 'compressed_mb' or image != 'alpine'"), "'compressed_mb' for image=alpine"),
        (startup(1).query("metric == 'compressed_mb'"), "'ready_seconds'"),
        (sizes([800e6], [16e6]).rename(columns={"dockerfile": "file"}), "'size' for dockerfile=single-stage"),
    ],
)
def test_missing_rows_are_named_with_the_cell_that_makes_them(runs: pd.DataFrame, missing: str) -> None:
    """A verdict on half of the data is refused; the error says what is missing and what to run."""
    with pytest.raises(ClaimError) as caught:
        judge(runs)

    assert missing in caught.value.message
    assert "2.3-multi-stage.ipynb" in caught.value.hint


def test_rows_of_another_claim_do_not_count() -> None:
    """A claim judges its own rows only."""
    with pytest.raises(ClaimError, match=r"2\.3-dynamic: no rows"):
        claim("2.3-dynamic").verdict(sizes([800e6], [16e6]))


def test_rows_from_two_environments_are_told() -> None:
    """Rows of several stamps are judged under the newest, and the reading says so."""
    runs = starts([0, 0])
    runs.loc[runs.index[-1], "stamp"] = "ffffffffffff"
    found = judge(runs)

    assert found.stamp == "ffffffffffff"
    assert found.reading.endswith("The rows come from 2 environments.")


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
        for part in ("holds", "n = 3", "median 96 %", "IQR 2 %", "0123456789ab", "Going from single-stage"):
            assert part in shown
    assert "#" not in bundle["text/html"]


def test_not_measurable_says_why() -> None:
    """Without a measurement there is no figure, only the reason."""
    found = not_measurable(claim("2.3-surface"), "there is no <database>")

    assert (found.verdict, found.n, found.median, found.iqr) == ("not-measurable", 0, None, None)
    assert "there is no &lt;database&gt;" in found._repr_mimebundle_()["text/html"]
    assert found._repr_mimebundle_()["text/plain"].count("there is no <database>") == 1
