"""A figure is computed from the frame, is read with and without eyes, and lives on a page with others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from kitlib.errors import ClaimError
from kitlib.views.plots import INK, PALETTE, Plot, plot
from tests.unit.frames import figures, sizes, starts, startup, surface
from tests.unit.test_claims_refuted import frame

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


def texts(shown: Plot) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(shown.svg).iter(f"{SVG}text")]


FRAMES = {
    "reduction": sizes([800e6, 801e6, 802e6], [15e6, 16e6, 17e6]),
    "figures": figures(850e6, 14e6, 8e6),
    "monotone": surface(),
    "slope": startup(1.2),
}


@pytest.mark.parametrize("runs", FRAMES.values(), ids=FRAMES)
def test_every_claim_s_plot_is_a_complete_figure(runs: pd.DataFrame) -> None:
    """The SVG is XML, is an image with alt text to assistive technology, and its data is a table beside it."""
    shown = plot(runs)
    root = ElementTree.fromstring(shown.svg)
    html = shown._repr_mimebundle_()["text/html"]

    assert (root.tag, root.get("role"), root.get("aria-label")) == (f"{SVG}svg", "img", shown.alt)
    assert html.count("<table") == html.count("<details") == 1
    assert shown.alt in shown._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("runs", FRAMES.values(), ids=FRAMES)
def test_the_page_gives_the_ink(runs: pd.DataFrame) -> None:
    """No black, no white, no placeholder: text and axes take the colour of the page, and no style leaks into it."""
    svg = plot(runs).svg
    colours = set(re.findall(r"#[0-9a-f]{6}\b", svg))

    assert colours <= set(PALETTE)
    assert INK not in svg
    assert "currentColor" in svg
    assert "<style" not in svg


def test_alt_text_and_table_have_medians_and_spread() -> None:
    """The alternative text has the same figures as the dots."""
    shown = plot(FRAMES["reduction"])

    assert "guide-2.2 median 16 MB (IQR 1 MB, n = 3)" in shown.alt
    assert shown.table.to_dict("records") == [
        {"metric": "size", "dockerfile": "guide-2.2", "n": 3, "median": "16 MB", "IQR": "1 MB"},
        {"metric": "size", "dockerfile": "single-stage", "n": 3, "median": "801 MB", "IQR": "1 MB"},
    ]


def test_axis_and_rows_are_labelled_in_people_s_units() -> None:
    """Megabytes on the axis, each treatment by name with its median."""
    found = texts(plot(FRAMES["reduction"]))

    assert {"size (MB)", "guide-2.2", "single-stage", "16 MB", "801 MB"} <= set(found)


def test_rows_are_ordered_by_median() -> None:
    """Smallest first, whatever the order of measurement."""
    assert list(plot(FRAMES["figures"]).table["image"]) == ["base", "scratch", "guide-2.3", "single-stage"]


def test_every_repeat_is_a_dot() -> None:
    """Three repeats of two treatments are six dots."""
    one, three = (plot(sizes([800e6] * n, [15e6] * n)).svg.count(f"fill: {PALETTE[0]}") for n in (1, 3))

    assert three - one == 4


def test_yes_and_no_are_a_table() -> None:
    """Of a 0/1 metric nothing is drawn: each treatment has yes, no, or in how many of its runs; and n."""
    shown = plot(starts([0, 1, 1]))
    bundle = shown._repr_mimebundle_()

    assert shown.svg == "" and "<details" not in bundle["text/html"]
    assert shown.table.to_dict("records") == [
        {"dockerfile": "guide-2.3", "starts": "yes in 2 of 3", "n": 3},
        {"dockerfile": "fixed", "starts": "yes", "n": 2},
    ]
    assert shown.alt.endswith("guide-2.3: yes in 2 of 3 (n = 3); fixed: yes (n = 2).")
    assert bundle["text/html"].startswith("<figure") and bundle["text/html"].endswith("</figure>")


def test_the_other_answers_of_a_rule_are_columns() -> None:
    """3.1-outage: one row per missing part, one column per ability; one that was not tried is left open."""
    runs = frame(
        "3.1-outage", [({"without": "etcd"}, {"serve": 1, "write": 0}), ({"without": "nothing"}, {"serve": 1})]
    )
    table = plot(runs.assign(unit="0/1")).table

    assert table.to_dict("records") == [
        {"without": "etcd", "serve": "yes", "write": "no", "n": 3},
        {"without": "nothing", "serve": "yes", "write": "–", "n": 3},
    ]
    assert list(plot(runs.assign(unit="0/1"), metric="write").table.columns) == ["without", "write", "n"]


def test_other_data_is_another_figure() -> None:
    """The drawing follows the values."""
    one, other = (plot(sizes([800e6], [size])) for size in (15e6, 30e6))

    assert "30 MB" in texts(other)
    assert one.svg != other.svg


def test_the_same_data_is_the_same_figure() -> None:
    """No date and no random id: a run that found the same draws the same bytes."""
    assert plot(FRAMES["slope"]).svg == plot(FRAMES["slope"]).svg


def test_figures_share_a_page() -> None:
    """No two figures use one id, and every reference leads to an id of its own figure."""
    seen: set[str] = set()
    for runs in FRAMES.values():
        svg = plot(runs).svg
        ids = set(re.findall(r'\bid="([^"]+)"', svg))
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))

        assert used <= ids
        assert not ids & seen
        seen |= ids


def test_the_guide_s_figures_are_marked() -> None:
    """A rule on figures marks them in their rows; a caller's own target replaces them; others have none."""
    assert "the guide's figure" in texts(plot(FRAMES["figures"]))
    assert "a budget" in texts(plot(FRAMES["figures"], target={"a budget": 50e6}))
    assert "the guide's figure" not in texts(plot(FRAMES["figures"], target={}))
    assert "the guide's figure" not in texts(plot(FRAMES["reduction"]))


def test_an_order_is_drawn_as_one_panel_a_metric() -> None:
    """Size and the five counts, all in order of size."""
    runs = surface(setuid=[3, 0, 5])
    shown = plot(runs)

    assert {"size (MB)", "executables", "setuid", "packages", "shells", "components"} <= set(texts(shown))
    assert list(shown.table[shown.table["metric"] == "setuid"]["image"]) == ["scratch", "alpine", "single-stage"]


def test_one_metric_can_be_asked_for() -> None:
    """metric= draws that one, under the title that was asked for."""
    shown = plot(surface(), metric="shells", title="Shells")

    assert set(shown.table["metric"]) == {"shells"}
    assert shown.alt.startswith("Shells – shells by image")


def test_a_slope_is_drawn_with_its_line_and_interval() -> None:
    """The line's rise and its interval are in words too; units on both axes."""
    shown = plot(FRAMES["slope"])

    assert re.search(r"rises by 1\.\d+ s per 100 MB \(95 % 1\.\d+ to 1\.\d+\)", shown.alt)
    assert {"ready (s)", "compressed (MB)", "least-squares line", "95 % band", "single-stage"} <= set(texts(shown))


def test_a_slope_without_ground_draws_no_line() -> None:
    """Two repeats a size are shown as dots, and the text says why there is no line."""
    shown = plot(startup(1.2, repeats=2))

    assert "Too few trials for a line." in shown.alt
    assert "least-squares line" not in texts(shown)


def test_a_logarithmic_axis_on_request() -> None:
    """log= spreads sizes that differ by powers of ten."""
    linear, log = (texts(plot(FRAMES["figures"], log=flag)) for flag in (False, True))

    assert "400" in linear
    assert "400" not in log


@pytest.mark.parametrize(
    ("runs", "arguments", "message"),
    [
        (starts([0, 0]).iloc[:0], {}, "nothing to plot"),
        (starts([0, 0]), {"metric": "wheels"}, "no rows of metric 'wheels'"),
        (starts([0, 0]), {"x": "wheels"}, "no treatment column 'wheels'"),
        (starts([0, 0]).drop(columns="dockerfile"), {}, "no treatment to compare"),
    ],
)
def test_what_cannot_be_drawn_is_said(runs: pd.DataFrame, arguments: dict[str, str], message: str) -> None:
    """An empty figure is never drawn."""
    with pytest.raises(ClaimError, match=message):
        plot(runs, **arguments)  # type: ignore[arg-type]


def test_markup_in_the_data_stays_text() -> None:
    """A treatment called like a tag cannot become one."""
    runs = starts([1]).replace({"dockerfile": {"fixed": "<b>&\"'"}})
    html = plot(runs)._repr_mimebundle_()["text/html"]

    assert "<b>" not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
@pytest.mark.parametrize("colour", PALETTE)
def test_each_colour_reads_on_light_and_dark(colour: str, page: str) -> None:
    """A contrast of 3 or more (WCAG 1.4.11) on white and on JupyterLab's dark page."""

    def luminance(code: str) -> float:
        parts = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(colour), luminance(page)))

    assert (light + 0.05) / (dark + 0.05) >= 3


def test_no_pyplot() -> None:
    """Figures are garbage once shown: the module that would keep them is never loaded."""
    code = "import sys, kitlib.views.plots; sys.exit('matplotlib.pyplot' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
