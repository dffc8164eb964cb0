"""What chapters.yaml and the glossary promise a reader is what there is."""

from __future__ import annotations

import json
import re
from urllib.parse import urlparse

import pytest

from kitlib import paths
from kitlib.host import textfile
from kitlib.learning import agenda, chaptermap
from kitlib.learning.frame import Frame, Question, frames
from kitlib.learning.glossary import FILE, Term, _key, terms
from kitlib.learning.sittings import MOST, STEP, sittings
from kitlib.runner.chapters import chapters
from kitlib.stacks.catalogue import CATALOGUE
from kitlib.supply import images

FRAMES = frames()
QUESTIONS = [question for frame in FRAMES for question in frame.questions]
TERMS = terms()
ASKED = {frame.name for frame in FRAMES} - {"9-verdicts"}
LONGEST = 100  # characters of an option: a button has one line
VERB = re.compile(
    r"(add|attach|break|build|choose|compare|compute|configure|count|debug|decide|delete|explain|find|follow|give|go|inspect|keep|let|limit|list|log|"
    r"look|measure|migrate|name|order|pass|place|predict|push|read|resolve|route|run|say|search|send|set|sign|stop|take|tell|test|trace|use|watch|write)\b"
)
OFFICIAL = {  # hosts of official documentation, and of the authors of RED and USE
    "kubernetes.io",
    "gateway-api.sigs.k8s.io",
    "docs.docker.com",
    "github.com",
    "go.dev",
    "pkg.go.dev",
    "prometheus.io",
    "opentelemetry.io",
    "man7.org",
    "www.itl.nist.gov",
    "grafana.com",
    "www.elastic.co",
    "www.brendangregg.com",
}
VERDICTS = re.compile(r"\b(refuted|holds|not measurable|the verdict is|the claim is)\b", re.IGNORECASE)


def _code(name: str) -> str:
    notebook = json.loads((paths.ROOT / "notebooks" / f"{name}.ipynb").read_text())
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")


def test_every_chapter_has_a_frame() -> None:
    """The chapters are those of the notebooks, in the same order."""
    assert [frame.name for frame in FRAMES] == [chapter.name for chapter in chapters()]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_measured_minutes_are_those_of_their_page(frame: Frame) -> None:
    """A figure is the first of the page that it names, a run on a new machine; a chapter that no run has timed has none."""
    page = paths.ROOT / (frame.measuring.source if frame.measuring else "docs/fresh-machine.md")
    timed = re.findall(rf"\| {re.escape(frame.name)} \| (\d+\.\d) \|", page.read_text())

    assert [f"{frame.measuring.minutes:.1f}"] == timed[:1] if frame.measuring else timed == []


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_needs_can_be_made(frame: Frame) -> None:
    """Images and stacks exist under these names, and every image that the notebook asks for by name is among them."""
    needs = {
        kind: {n.removeprefix(f"{kind} ") for n in frame.needs if n.startswith(kind)} for kind in ("image", "stack")
    }
    asked = set(re.findall(r'\b(?:kit|cluster)\.image\("([^"]+)"\)', _code(frame.name)))

    assert needs["image"] <= images.catalogue().keys()
    assert needs["stack"] <= CATALOGUE.keys()
    assert asked <= needs["image"]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_a_frame_reads_well(frame: Frame) -> None:
    """A question ends as one, a skill begins with a verb, a recap has sentences, and nothing gives a verdict away."""
    said = [frame.question, *frame.skills, *frame.recap]

    assert frame.question.endswith("?")
    assert [skill for skill in frame.skills if not VERB.match(skill) or skill.endswith(".")] == []
    assert [sentence for sentence in frame.recap if not sentence.endswith(".")] == []
    assert [text for text in said if frame.name != "9-verdicts" and VERDICTS.search(text)] == []


def test_chapters_have_questions() -> None:
    """Each chapter but the last has questions, and the right answer is not always at the same place."""
    places = {
        frame.name: {question.options.index(question.right) for question in frame.questions}
        for frame in FRAMES
        if frame.questions
    }

    assert places.keys() >= ASKED
    assert [name for name, where in places.items() if len(where) < 3] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_can_be_shown_and_looked_up(question: Question) -> None:
    """Options fit on a button, which shows plain text; each has feedback of its own; the source is official documentation."""
    says = [option.says for option in question.options]
    because = [option.because for option in question.options]

    assert [text for text in says if len(text) > LONGEST or "`" in text or text.endswith(".")] == []
    assert len(set(because)) == len(because)
    assert [text for text in because if not text.endswith(".") or text.count("`") % 2] == []
    assert urlparse(question.source).hostname in OFFICIAL
    assert question.source.startswith("https://")


def test_the_map_in_the_readme_is_made_from_the_frames() -> None:
    """`python -m kitlib.learning` would change nothing."""
    page = textfile.read(chaptermap.PAGE)

    assert chaptermap.written(page, FRAMES) == page


def test_agendas_for_trainers_are_made_from_the_frames() -> None:
    """`python -m kitlib.learning` would change nothing there either."""
    page = textfile.read(agenda.PAGE)

    assert agenda.written(page, FRAMES) == page


def test_the_glossary_is_in_order() -> None:
    """Terms are in alphabetical order, whatever their case."""
    names = [re.sub(r"[^a-z0-9 ]", "", term.name.lower().replace("-", " ")) for term in TERMS]

    assert names == sorted(names)
    assert len(names) >= 80


def test_a_name_means_one_term() -> None:
    """No two terms have one anchor, and no name or other name stands for two terms."""
    names = [_key(name) for term in TERMS for name in (term.name, *term.also)]
    anchors = [term.anchor for term in TERMS]

    assert sorted(set(names)) == sorted(names)
    assert sorted(set(anchors)) == sorted(anchors)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.anchor)
def test_a_term_is_explained_in_short(term: Term) -> None:
    """One or two sentences, and a link to official documentation or to a page of the kit."""
    sentences = re.findall(r"\.(?=\s|$)", term.text)

    assert len(sentences) in (1, 2) and len(term.text) <= 240
    assert term.text.endswith(".") and term.text.count("`") % 2 == 0
    if "://" in term.address:
        assert term.address.startswith("https://") and urlparse(term.address).hostname in OFFICIAL
    else:
        assert (FILE.parent / term.address).exists()


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_no_sitting_is_longer_than_a_lesson(frame: Frame) -> None:
    """A long chapter has headings at which a reader can pause, and its sittings have its minutes."""
    parts = sittings(paths.ROOT / "notebooks" / f"{frame.name}.ipynb", frame.minutes)

    assert max(part.minutes for part in parts) <= MOST
    assert abs(sum(part.minutes for part in parts) - frame.minutes) <= STEP * len(parts) / 2
