"""The picture of an image's layers: well-formed, readable without seeing it, and what is shared is drawn once."""

from __future__ import annotations

from xml.etree import ElementTree

from kitlib.views.image_layers import Column, Stacks, Step

BASE = Step("base, imported", "sha256:a", 100_000_000)
RUN = Step("RUN install <it>", "sha256:b", 5_000_000)
ONE, TWO = (Step(f"COPY page-{i} /", f"sha256:{i}", 12) for i in (1, 2))
CMD = Step('CMD ["serve"]', "", 0)
PICTURE = Stacks((Column("one", (BASE, RUN, ONE, CMD), written=3), Column("two", (BASE, RUN, TWO, CMD))))


def parsed(stacks: Stacks) -> ElementTree.Element:
    return ElementTree.fromstring(stacks.svg())


def test_what_all_images_have_is_drawn_once() -> None:
    """The common steps end where the images part; a frame each, and one for the container's own layer."""
    frames = [r for r in parsed(PICTURE).iter("rect") if r.get("fill") == "none"]
    dashed = [r for r in frames if r.get("stroke-dasharray")]

    assert PICTURE.common == (BASE, RUN)
    assert len(frames) == 2 + 2 + 1
    assert len(dashed) == 1


def test_nothing_leaves_the_picture() -> None:
    """Every frame lies within, also with one image alone, of which nothing is common."""
    for stacks in (PICTURE, Stacks(PICTURE.columns[:1])):
        svg = parsed(stacks)
        _, _, width, height = (float(n) for n in svg.attrib["viewBox"].split())
        rects = [[float(r.attrib[k]) for k in ("x", "y", "width", "height")] for r in svg.iter("rect")]

        assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in rects)


def test_the_words_say_what_the_picture_does() -> None:
    """Size, sharing and instruction of each step, and that an instruction made no layer."""
    text = str(PICTURE)

    assert "100 MB, shared by 2: base, imported" in text
    assert "12 bytes, only here: COPY page-1 /" in text
    assert 'no layer: CMD ["serve"]' in text
    assert "writable layer: 3 bytes" in text
    assert str(parsed(PICTURE).get("aria-label")).split() == text.split()
