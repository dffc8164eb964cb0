"""Change the measurement and the verdict changes: each rule, with rows that lead to each of its verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from kitlib.claims.register import claim
from kitlib.errors import ClaimError
from tests.unit.frames import SURFACE, figures, judge, rebuilds, sizes, starts, startup, surface


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


@pytest.mark.parametrize(
    ("runs", "word"),
    [
        pytest.param(sizes([800e6] * 3, [16e6] * 3), "holds", id="reduction-of-98-percent"),
        pytest.param(sizes([800e6], [80e6]), "holds", id="reduction-at-the-bound"),
        pytest.param(sizes([800e6] * 3, [160e6] * 3), "refuted", id="reduction-of-80-percent"),
        pytest.param(sizes([800e6] * 3, [40e6, 79e6, 200e6]), "depends", id="reduction-unresolved"),
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
        pytest.param(rebuilds([0.5, 0.6, 0.5]), "holds", id="ratio-below"),
        pytest.param(rebuilds([1.0]), "holds", id="ratio-at-the-bound"),
        pytest.param(rebuilds([4.0, 5.0, 4.0]), "depends", id="ratio-above-the-kit-s-own-bound"),
        pytest.param(rebuilds([0.5, 1.1, 3.0]), "depends", id="ratio-unresolved"),
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
    assert "The image size fell by 96 %, from 100 MB with one stage to 4 MB with two stages" in found.reading
    assert "The compressed size fell by 96 %" in found.reading


def test_a_reduction_that_is_not_resolved_says_so() -> None:
    """A median above the bound is no verdict while the interval includes the bound."""
    found = judge(sizes([800e6] * 3, [40e6, 79e6, 200e6]))

    assert found.median is not None and found.median > 90
    assert found.reason == "not resolved at n = 3: the interval includes 90 %"
    assert [(s.treatment, s.n, s.median) for s in found.treatments] == [
        ("guide-2.2", 3, 79e6),
        ("single-stage", 3, 800e6),
    ]


@pytest.mark.parametrize(("own", "word"), [(True, "depends"), (False, "refuted")])
def test_only_a_bound_of_the_guide_refutes(own: bool, word: str) -> None:
    """The same rows against the same bound: refuted where the guide gives it, depends where the kit chose it."""
    it = claim("2.1-cache")
    rule = {key: value for key, value in it.rule.items() if key != "own"} | ({"own": True} if own else {})
    found = replace(it, rule=rule).verdict(rebuilds([4.0, 5.0, 4.0]))

    assert found.verdict == word
    assert any("The kit's own threshold" in remark for remark in found.remarks) is own
    assert ("cannot refute the claim" in found.reading) is own


def test_a_ratio_is_of_pairs() -> None:
    """n, median and IQR are of the ratio in each repeat; repeats that do not pair up, or nothing to divide by, are an error."""
    found = judge(rebuilds([0.2, 0.4, 0.6]))
    paired = rebuilds([0.2, 0.4, 0.6])

    assert (found.n, found.unit) == (3, "× cold")
    assert (found.median, found.iqr) == pytest.approx((0.04, 0.02))
    assert "0.4 s against 10 s" in found.reading
    for broken in (paired.iloc[1:], paired.assign(value=paired["value"].where(paired["change"] != "cold", 0))):
        with pytest.raises(ClaimError, match="cold"):
            judge(broken)


def test_figures_name_what_fits_and_the_smallest() -> None:
    """The reason tells which figures fit; a base is no candidate for the smallest image."""
    found = judge(figures(1100e6, 14e6, 8e6))

    assert found.reason == "does not fit: single-stage"
    assert found.reading.startswith(
        "2 of the guide's 3 figures fit: the multi-stage image 14 MB (the guide: about 15 MB)"
    )
    assert "smallest image was scratch with 9 MB" in found.reading
    assert (found.n, found.median, found.unit) == (1, 14e6, "B")


@pytest.mark.parametrize(("single", "fits"), [(600e6, True), (599e6, False), (1000e6, True), (1001e6, False)])
def test_figures_within_a_quarter(single: float, fits: bool) -> None:
    """25 % on either side of the guide's figure, bounds included."""
    word = "holds" if fits else "depends"

    assert judge(figures(single, 15e6, 8e6)).verdict == word


def test_equals_compares_with_the_other_treatment() -> None:
    """The reading counts the runs and shows what the fixed Dockerfile did."""
    compared = "(to compare, fixed: yes)."

    assert judge(starts([0, 0])).reading == f"The guide's image did not start in any of 2 runs {compared}"
    assert judge(starts([0, 1])).reading == f"The guide's image started in 1 of 2 runs {compared}"
    assert judge(starts([1, 1])).reading == f"The guide's image started in all 2 runs {compared}"


def test_monotone_names_what_breaks_the_order() -> None:
    """The reason names the metric; five unlike counts have no common median, but one for each image."""
    found = judge(surface(setuid=[3, 0, 5]))
    setuid = [(s.treatment, s.median) for s in found.treatments if s.treatment.startswith("setuid")]

    assert "does not keep the order: setuid" in found.reason
    assert (found.n, found.median, found.iqr) == (5, None, None)
    assert setuid == [("setuid (alpine)", 0), ("setuid (scratch)", 3), ("setuid (single-stage)", 5)]


def test_monotone_says_what_never_differs() -> None:
    """A metric that is the same in all images keeps the order, and the reading says that it shows nothing."""
    found = judge(surface(setuid=[0, 0, 0]))

    assert found.verdict == "holds"
    assert "The same everywhere: setuid." in found.reading


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
