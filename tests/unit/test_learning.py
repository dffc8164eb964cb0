"""A chapter's frame: read from YAML to the last key, and shown as header, recap and questions."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

import kitlib as kit
from kitlib.errors import InputError, UsageError
from kitlib.learning import agenda, answers, chaptermap, header, quiz
from kitlib.learning.frame import Frame, Measured, Option, Question, frames
from kitlib.learning.quiz import Quiz

OPTIONS = [
    {"says": "yes", "right": True, "because": "It is `so`."},
    {"says": "no", "because": "It is <so>."},
]
QUESTION = {"id": "so", "asks": "Is `it` so?", "options": OPTIONS, "source": "https://kubernetes.io/docs/"}
QUESTIONS = [{**QUESTION, "id": name} for name in ("so", "well", "then")]
ENTRY: dict[str, Any] = {
    "id": "1-one",
    "title": "1 One",
    "question": "Why?",
    "skills": ["do this", "do that", "undo it"],
    "minutes": 30,
    "measuring": {"minutes": 1.5, "source": "docs/page.md"},
    "after": [],
    "needs": ["engine", "cluster", "image alpine", "image golang", "stack logs"],
    "recap": ["One.", "Two.", "Three."],
    "questions": QUESTIONS,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path / "home"


def read(folder: Path, *entries: dict[str, Any]) -> tuple[Frame, ...]:
    file = folder / "chapters.yaml"
    file.write_text(yaml.safe_dump({"chapters": list(entries)}, sort_keys=False))
    return frames(file)


def changed(way: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The entry with another value at one place; None takes the key out."""
    made = copy.deepcopy(ENTRY)
    place: Any = made
    for key in way[:-1]:
        place = place[key]
    if value is None:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return made


@pytest.fixture
def one(tmp_path: Path) -> Frame:
    return read(tmp_path, ENTRY)[0]


def test_an_entry_becomes_a_frame(one: Frame) -> None:
    """Every key of the entry is in the frame."""
    assert (one.name, one.title, one.question, one.minutes) == ("1-one", "1 One", "Why?", 30)
    assert one.measuring == Measured(1.5, "docs/page.md")
    assert one.recap == ("One.", "Two.", "Three.")
    assert [question.id for question in one.questions] == ["1-one/so", "1-one/well", "1-one/then"]
    assert one.questions[0].right.says == "yes"


@pytest.mark.parametrize("key", [key for key in ENTRY if key not in ("id", "measuring", "questions")])
def test_a_key_is_required(tmp_path: Path, key: str) -> None:
    """An entry without it is refused by the key's name."""
    with pytest.raises(InputError, match=rf"chapters.yaml, line 2 \(1-one\): {key} is missing"):
        read(tmp_path, changed((key,), None))


def test_measured_minutes_and_questions_may_be_missing(tmp_path: Path) -> None:
    """Minutes that no run took are not shown anywhere."""
    bare = {key: value for key, value in ENTRY.items() if key not in ("measuring", "questions")}
    (found,) = read(tmp_path, bare)

    assert (found.measuring, found.questions) == (None, ())
    assert "measure" not in header.header(found, ()).text
    assert chaptermap.rows([found]).endswith("| 30 min |  |")


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (("minuets",), 30, "unknown key 'minuets'\nnext: did you mean minutes"),
        (("minutes",), "30", "minutes is '30', a str"),
        (("minutes",), True, "minutes is True, a bool"),
        (("minutes",), 0, "minutes is 0"),
        (("minutes",), 1.5, "minutes is 1.5, a float"),
        (("title",), "", "title is empty"),
        (("skills",), ["a", "b"], "skills: 2 of them\nnext: 3 to 5"),
        (("skills",), ["a", "b", 3], "skills, item 3 is 3, a int"),
        (("recap",), ["a"] * 6, "recap: 6 of them"),
        (("after",), ["0-zero"], "after names '0-zero', which is no chapter before it"),
        (("needs",), ["clutser"], "needs has 'clutser'"),
        (("needs",), ["image "], "needs has 'image '"),
        (("needs",), ["nothing", "go"], "needs has nothing, and something beside it"),
        (("needs",), [], "needs is empty"),
        (("measuring", "minutes"), float("inf"), "measuring: minutes is inf"),
        (("measuring", "source"), None, "measuring: source is missing"),
        (("questions",), QUESTIONS[:2], "questions: 2 of them"),
        (("questions", 1, "id"), "so", "question 2: the id is taken"),
        (("questions", 0, "source"), None, "question 1: source is missing"),
        (("questions", 0, "options"), OPTIONS[:1], "question 1: options: 1 of them"),
        (("questions", 0, "options", 1, "right"), True, "question 1: exactly one option is right"),
        (("questions", 0, "options", 0, "right"), False, "question 1: exactly one option is right"),
        (("questions", 0, "options", 0, "right"), "yes", "option 1: right is 'yes', a str"),
        (("questions", 0, "options", 1, "says"), "yes", "question 1: two options say the same"),
        (("questions", 0, "options", 1, "because"), None, "option 2: because is missing"),
        (("questions", 0), "so", "questions, item 1 is 'so', a str"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, way: tuple[Any, ...], value: Any, message: str) -> None:
    """One error with the place in the file, and what to write instead."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, changed(way, value))

    assert str(caught.value).startswith("chapters.yaml, line 2 (1-one): ")
    assert message in str(caught.value)


def test_a_chapter_is_given_once(tmp_path: Path) -> None:
    """Two entries with one id are refused."""
    with pytest.raises(InputError, match="the id is taken"):
        read(tmp_path, ENTRY, ENTRY)


def test_the_header_says_what_to_expect(one: Frame) -> None:
    """Question, skills, both times with their source, what comes before it, and one command for each thing that must run."""
    shown = header.header(one, (one,))

    assert shown.text.splitlines() == [
        "1 One: Why?",
        "You will be able to:",
        "  - do this",
        "  - do that",
        "  - undo it",
        "Time: 30 min to read and do, 1.5 min to measure; measured with the profile quick: docs/page.md",
        "Before it: 1 One",
        "What must run:",
        "  a container engine and the cluster: ./kit up",
        "  the images alpine, golang: ./kit images build alpine golang",
        "  the stack logs: ./kit stacks install logs",
    ]
    assert '<a href="1-one.ipynb">1 One</a>' in shown.html
    assert "<code>./kit stacks install logs</code>" in shown.html


def test_a_chapter_shows_header_and_recap() -> None:
    """`kit.chapter` displays as its header, with links to the chapters before it; the recap is a list."""
    chapter = kit.chapter("3.2-deployment")

    assert '<a href="3.1-architecture.ipynb">' in chapter._repr_html_()
    assert repr(chapter).splitlines()[0].startswith("3.2 Deployments: ")
    assert repr(chapter.recap()) == "\n".join(f"- {sentence}" for sentence in chapter.frame.recap)
    assert chapter.recap()._repr_html_().count("<li>") == len(chapter.frame.recap)


def test_an_unknown_chapter() -> None:
    """It is a usage error that names the ones that come close."""
    with pytest.raises(UsageError, match=r"did you mean 3\.2-deployment"):
        kit.chapter("3.2-deploymnt")


def test_the_map_is_written_between_its_markers(one: Frame) -> None:
    """What stands around the markers stays, and writing again changes nothing."""
    page = f"before\n{chaptermap.BEGIN}\nold\n{chaptermap.END}\nafter\n"
    written = chaptermap.written(page, [one])

    assert written.startswith("before\n") and written.endswith("\nafter\n")
    assert "old" not in written
    assert "| [1 One](notebooks/1-one.ipynb) | Why? | 30 min | 1.5 min |" in written
    assert chaptermap.written(written, [one]) == written


def days(folder: Path, **changed: Any) -> tuple[agenda.Agenda, ...]:
    """Agendas of three chapters of 30 minutes, of which the second builds on the first."""
    known = read(folder, ENTRY, ENTRY | {"id": "2-two", "after": ["1-one"]}, ENTRY | {"id": "3-three", "minutes": 100})
    entry = {"id": "a", "title": "A day", "for": "everyone", "assumes": [], "days": [["1-one", "2-two"], ["3-three"]]}
    file = folder / "agendas.yaml"
    file.write_text(yaml.safe_dump({"agendas": [entry | changed]}))
    return agenda.agendas(known, file)


def test_a_day_has_breaks_and_lunch(tmp_path: Path) -> None:
    """A chapter takes its minutes in steps of five; there is a break after ninety minutes of work, and lunch after noon."""
    (found,) = days(tmp_path)
    one, three = found.days[0][0], found.days[1][0]
    day = [(slot.begins, slot.ends, slot.what) for slot in agenda.slots([one, three, three, one])]

    assert day == [
        (540, 575, "1 One"),
        (575, 680, "1 One"),
        (680, 695, "break"),
        (695, 800, "1 One"),
        (800, 860, "lunch"),
        (860, 895, "1 One"),
    ]
    assert "| 9:00–9:35 | [1 One](../notebooks/1-one.ipynb) | Why? |" in agenda.rows([found])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"days": [["2-two"]]}, "2-two needs 1-one before it"),
        ({"days": [["2-too"]]}, "no chapter is called '2-too'"),
        ({"assumes": ["4-four"]}, "no chapter is called '4-four'"),
        ({"days": ["1-one"]}, "days, item 1"),
        ({"title": ""}, "title is empty"),
    ],
)
def test_an_agenda_that_cannot_be_followed(changed: dict[str, Any], told: str, tmp_path: Path) -> None:
    """It is refused with its place, and what is wrong."""
    with pytest.raises(InputError, match=r"agendas\.yaml, line 2") as refused:
        days(tmp_path, **changed)
    assert told in refused.value.message


def test_what_participants_know_need_not_be_taught(tmp_path: Path) -> None:
    """A chapter's basis may be assumed."""
    (found,) = days(tmp_path, assumes=["1-one"], days=[["2-two"]])

    assert "They know 1-one." in agenda.rows([found])


def test_a_page_without_markers(one: Frame) -> None:
    """It is refused, and nothing is written."""
    with pytest.raises(InputError, match="no map of chapters"):
        chaptermap.written("text", [one])


def test_an_answer_is_kept(one: Frame) -> None:
    """The newest answer counts, and other questions have none."""
    first = one.questions[0]
    answers.choose(first, "no")
    answers.choose(first, "yes")

    assert answers.chosen(one.questions) == {"1-one/so": first.right}


def test_an_answer_that_is_not_offered(one: Frame) -> None:
    """It is refused, names the options, and changes nothing."""
    answers.choose(one.questions[0], "no")
    with pytest.raises(UsageError, match="one of: yes; no"):
        answers.choose(one.questions[0], "perhaps")

    assert answers.chosen(one.questions)["1-one/so"].says == "no"


@pytest.mark.parametrize("kept", ['{"1-one/so": {"choice": "never"}}', '{"1-one/so": "yes"}', '{"1-one/so": null}'])
def test_a_kept_answer_of_another_form_does_not_count(home: Path, one: Frame, kept: str) -> None:
    """An option that is offered no more, or an entry of another program, is no answer."""
    home.mkdir()
    (home / "answers.json").write_text(kept)

    assert answers.chosen(one.questions) == {}


def test_headless_questions_are_text(one: Frame) -> None:
    """Questions and options come first, then the feedback of every option; in HTML the answers are folded."""
    shown = Quiz(one.questions)._repr_mimebundle_()
    asked, told = shown["text/plain"].split("Answers")

    assert "1. Is `it` so?\n   a) yes\n   b) no" in asked
    assert "It is" not in asked
    assert "a) ✓ It is `so`.\n   b) ✗ It is <so>.\n   https://kubernetes.io/docs/" in told
    folded = shown["text/html"].partition("<details>")[2]
    assert "It is <code>so</code>." in folded and "It is &lt;so&gt;." in folded
    assert "<details open" not in shown["text/html"]


def test_live_questions_are_buttons(monkeypatch: pytest.MonkeyPatch, one: Frame) -> None:
    """A pressed button is kept and gets its own feedback at once; a kept answer is pressed when the cell runs again."""
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    questions = Quiz(one.questions)
    _, buttons, feedback = questions._buttons().children[0].children
    before = feedback.value
    buttons.value = "no"
    wrong = feedback.value
    buttons.value = "yes"
    again = Quiz(one.questions)._buttons().children[0].children

    assert "application/vnd.jupyter.widget-view+json" in questions._repr_mimebundle_()
    assert (before, buttons.options) == ("", ("yes", "no"))
    assert "✗ Not quite." in wrong and "It is &lt;so&gt;." in wrong
    assert "✓ Right." in feedback.value and "https://kubernetes.io/docs/" in feedback.value
    assert again[1].value == "yes" and "✓ Right." in again[2].value


def test_feedback_comes_without_a_place_to_keep_it(monkeypatch: pytest.MonkeyPatch, one: Frame) -> None:
    """An answer that cannot be kept gets its feedback, and the reason."""
    panel = quiz._panel(one.questions[0], None)
    monkeypatch.setenv("KIT_HOME", "/proc/self")
    panel.children[1].value = "yes"

    assert "✓ Right." in panel.children[2].value
    assert "answers to questions cannot be kept" in panel.children[2].value


def test_an_answer_from_code(one: Frame) -> None:
    """`choose` answers by number, returns the feedback, and refuses a number that is not there."""
    questions = Quiz(one.questions)

    assert repr(questions.choose(2, "no")) == "✗ Not quite. It is <so>."
    assert set(answers.chosen(one.questions)) == {"1-one/well"}
    with pytest.raises(UsageError, match="no question 4"):
        questions.choose(4, "no")


def test_a_chapter_without_questions_says_so() -> None:
    """Nothing is asked, and nothing fails."""
    assert repr(Quiz(())) == "This chapter has no questions."


def test_every_question_has_one_right_option() -> None:
    """`right` is the option that the file marks."""
    question = Question("a/b", "?", (Option("no", "."), Option("yes", ".", right=True)), "")

    assert question.right.says == "yes"
