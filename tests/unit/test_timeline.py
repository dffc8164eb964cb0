"""Timelines: every span is in the drawing and the text, nothing is wider or higher than a page, and colour is never the only sign."""

from xml.etree import ElementTree

import pytest

from kitlib.views import gantt
from kitlib.views.chart import LANES, MARKS, Axis, Lane, Mark, Span
from kitlib.views.timeline import COLUMNS, LETTERS, Timeline, draw

PODS = draw(
    "Two pods",
    [
        Lane("web-a", (Span(0, 2, "", "starting"), Span(2, 10, "exit 3", "ready"))),
        Lane("web-b", (Span(4, 5, "", "starting"), Span(5, None, "", "ready"))),
    ],
    [Mark(4, "rollout")],
)
HOSTILE = "<script>alert(\"x\")</script> & 'more'"


def parsed(of: Timeline) -> ElementTree.Element:
    return ElementTree.fromstring(of.svg())


def texts(of: Timeline) -> list[str]:
    return ["".join(t.itertext()) for t in parsed(of).iter("text")]


def lanes(n: int) -> list[Lane]:
    return [Lane(f"web-5d4c7f9b6b-{i:05d}", (Span(i, i + 5, "a label", "ready"),)) for i in range(n)]


def test_each_span_is_a_bar_with_its_words() -> None:
    """A span is one bar, as long as it lasted, whose tip says kind, label and times."""
    bars = list(parsed(PODS).iter("rect"))
    widths = [float(bar.get("width", "0")) for bar in bars]

    assert [t.text for t in parsed(PODS).iter("title")] == [
        *("starting 0 to 2 s", "ready exit 3 2 to 10 s"),
        *("starting 4 to 5 s", "ready 5 s until the end"),
    ]
    assert [w / widths[2] for w in widths] == pytest.approx([2, 8, 1, 5], rel=0.01)


def test_names_labels_legend_and_ticks_are_text() -> None:
    """Title, legend, mark, ticks with their unit, names and labels can be read, selected and searched."""
    assert sorted(texts(PODS)) == sorted(
        ["Two pods", "starting", "ready", "rollout", "web-a", "web-b", "exit 3", "0", "2", "4", "6", "8", "10 s"]
    )


def test_kinds_differ_without_colours() -> None:
    """Seven kinds have seven shapes and seven letters."""
    of = draw("", [Lane("a", tuple(Span(i, i + 1, "", f"kind {i}") for i in range(7)))])
    shapes = {path.get("d") for path in parsed(of).iter("path") if path.get("transform")}
    letters = {letter for letter in str(of) if letter in LETTERS}

    assert len(shapes) == 7
    assert len(letters) == 7


def test_colours_are_shared_by_charts_of_the_same_kinds() -> None:
    """Where the caller names all kinds, one looks the same whichever others occur; the legend has those that do."""
    kinds = ("starting", "ready")
    only, both = (
        draw("", [Lane("a", spans)], kinds=kinds)
        for spans in ((Span(1, 2, "", "ready"),), (Span(0, 1, "", "starting"), Span(1, 2, "", "ready")))
    )

    assert next(parsed(only).iter("rect")).get("fill") == list(parsed(both).iter("rect"))[1].get("fill")
    assert "starting" not in texts(only)


def test_text_has_a_line_a_lane() -> None:
    """Without a picture: letters from start to end, an arrow where it still lasts, the mark above its moment."""
    title, flags, a, b, *_ = str(PODS).splitlines()
    start = len("web-a  ")

    assert title == "Two pods"
    assert flags.index("▼") == b.index("█")
    assert a.startswith("web-a  █")
    assert set(a[start:]) == {"█", "▒"}
    assert b.endswith("▒▸")


def test_alt_text_tells_the_chart() -> None:
    """A screen reader reads lanes, spans and marks; the picture is an image with these words."""
    assert PODS.alt() == (
        "Two pods. web-a: starting 0 to 2 s; ready exit 3 2 to 10 s. "
        "web-b: starting 4 to 5 s; ready 5 s until the end. At 4 s: rollout."
    )
    assert parsed(PODS).get("aria-label") == PODS.alt()
    assert parsed(PODS).get("role") == "img"


@pytest.mark.parametrize("n", [0, 1, 30, 200])
def test_a_chart_fits_on_a_page(n: int) -> None:
    """However many lanes and marks, and however long their names: 100 columns, 60 lines, 40 bars; the rest is counted."""
    of = draw("t" * 300, [*lanes(n), Lane("x" * 300, ())], [Mark(i, "m" * 200) for i in range(n)])
    height = float(parsed(of).get("viewBox", "").split()[3])

    assert max(map(len, str(of).splitlines())) <= COLUMNS
    assert len(str(of).splitlines()) <= LANES + MARKS + 8
    assert len(list(parsed(of).iter("rect"))) == min(n, LANES)
    assert height <= gantt.ROW * LANES + gantt.LINE * MARKS + 200
    assert (f"… and {n + 1 - LANES} more lanes, not drawn" in str(of)) == (n >= LANES)
    assert all(note in texts(of) for note in of.left_out)


def test_everything_is_within_the_picture() -> None:
    """No bar and no mark begins or ends outside of the picture."""
    of = draw("", lanes(30), [Mark(33.9, "an end that has a long name"), Mark(0, "begin"), Mark(34, "x" * 500)])
    bars = [(float(r.get("x", "")), float(r.get("width", ""))) for r in parsed(of).iter("rect")]
    labels = {t.text: t for t in parsed(of).iter("text")}

    assert all(x >= 0 and x + width <= gantt.WIDTH for x, width in bars)
    assert labels["an end that has a long name"].get("text-anchor") == "end"
    assert labels["begin"].get("text-anchor") is None
    assert max(len(label) for label in labels if label) == gantt.LABEL


def test_marks_that_are_close_have_lines_of_their_own() -> None:
    """Labels that would cover each other stand below each other."""
    of = draw("", lanes(3), [Mark(1, "first of two"), Mark(1.1, "second of two"), Mark(6, "far")])
    at = {t.text: float(t.get("y", "")) for t in parsed(of).iter("text")}

    assert at["first of two"] < at["second of two"]
    assert at["far"] == at["first of two"]


@pytest.mark.parametrize(
    ("high", "unit", "words"),
    [
        (0.42, "ms", ["0", "100", "200", "300", "400"]),
        (9.0, "s", ["0", "2", "4", "6", "8"]),
        (130.0, "s", ["0", "50", "100"]),
        (0.004, "ms", ["0", "1", "2", "3", "4"]),
    ],
)
def test_time_has_round_ticks_in_a_unit_that_fits(high: float, unit: str, words: list[str]) -> None:
    """Below two seconds milliseconds, then seconds."""
    axis = Axis(0, high)

    assert [axis.say(tick) for tick in axis.ticks(5)] == words
    assert axis.unit == unit


def test_time_can_begin_before_zero_and_end_later() -> None:
    """A span before the chart's zero is shown; `until` makes the chart longer than its spans."""
    axis = draw("", [Lane("a", (Span(-1, 2, ""),))], until=8).axis()

    assert (axis.low, axis.high) == (-1, 8)


def test_names_are_escaped() -> None:
    """A name that looks like markup is shown as it is, and is markup nowhere."""
    of = draw(HOSTILE, [Lane(HOSTILE, (Span(0, 1, HOSTILE, HOSTILE),))], [Mark(0, HOSTILE)])

    assert "<script" not in of.svg()
    assert HOSTILE in texts(of)
    assert {e.tag for e in parsed(of).iter()} == {"svg", "g", "text", "title", "rect", "path"}


def test_notebook_gets_picture_and_text() -> None:
    """A front end chooses: the picture, or the same as text."""
    assert PODS._repr_mimebundle_() == {"text/html": PODS.svg(), "text/plain": str(PODS)}
