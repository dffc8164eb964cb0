"""The picture of the cluster: well-formed, readable without seeing it, and without colours."""

from xml.etree import ElementTree

import pytest

from kitlib.views.drawing import Box, Drawing
from kitlib.views.svg import BAD, GOOD

PICTURE = Drawing(
    "cluster kit, Kubernetes v1",
    (Box("nodes", (("kit-control-plane: ready", True),)), Box("namespace a", (("pod b: Failed", False), ("c", True)))),
)
HOSTILE = "<script>alert(\"x\")</script> & 'more'"


def parsed(drawing: Drawing) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.svg())


def texts(drawing: Drawing) -> list[str]:
    return [t.text or "" for t in parsed(drawing).iter("text")]


def test_svg_is_well_formed() -> None:
    """The SVG is XML, with a frame a box and every word of the picture as text."""
    assert len(list(parsed(PICTURE).iter("rect"))) == len(PICTURE.boxes)
    assert [t for t in texts(PICTURE) if t not in "✓✗"] == [
        "cluster kit, Kubernetes v1",
        *("nodes", "kit-control-plane: ready"),
        *("namespace a", "pod b: Failed", "c"),
    ]


def test_label_says_what_the_picture_shows() -> None:
    """A screen reader reads the same words: the picture is an image whose label is its text."""
    svg = parsed(PICTURE)

    assert svg.get("role") == "img"
    assert str(svg.get("aria-label")).split() == str(PICTURE).split()
    assert {word for text in texts(PICTURE) for word in text.split()} == set(str(PICTURE).split())


def test_names_are_escaped() -> None:
    """A name that looks like markup is shown as it is, and is markup nowhere."""
    drawing = Drawing(HOSTILE, (Box(HOSTILE, ((HOSTILE, True),)),))

    assert [t for t in texts(drawing) if t != "✓"] == [HOSTILE] * 3
    assert str(parsed(drawing).get("aria-label")).count(HOSTILE) == 3
    assert {e.tag for e in parsed(drawing).iter()} == {"svg", "text", "rect"}


def test_health_is_a_shape_not_only_a_colour() -> None:
    """Healthy and unhealthy lines have different marks, in the picture as in its text."""
    marks = [(t.text, t.get("fill")) for t in parsed(PICTURE).iter("text") if t.get("fill")]

    assert marks == [("✓", GOOD), ("✗", BAD), ("✓", GOOD)]
    assert [line.split()[0] for line in str(PICTURE).splitlines() if line.startswith("  ")] == ["✓", "✗", "✓"]


def test_nothing_overlaps() -> None:
    """Boxes lie below each other within the picture, each as high as its lines need."""
    svg = parsed(PICTURE)
    spans = [(float(r.attrib["y"]), float(r.attrib["y"]) + float(r.attrib["height"])) for r in svg.iter("rect")]
    height = float(svg.attrib["viewBox"].split()[3])
    rows = [float(t.attrib["y"]) for t in svg.iter("text") if t.get("fill")]

    assert spans[0][1] < spans[1][0]
    assert spans[1][1] <= height
    assert [sum(top < y < bottom for y in rows) for top, bottom in spans] == [1, 2]


@pytest.mark.parametrize("drawing", [PICTURE, Drawing("nothing runs", ())])
def test_shown_as_svg_or_as_text(drawing: Drawing) -> None:
    """A notebook gets the SVG and the text; a picture of nothing is still one."""
    shown = drawing._repr_mimebundle_()

    assert shown == {"text/html": drawing.svg(), "text/plain": str(drawing)}
    assert parsed(drawing).tag == "svg"
