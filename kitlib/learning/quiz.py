"""Questions at the end of a chapter: buttons with feedback in a live notebook; headless, text with the answers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import ipywidgets

from kitlib.errors import KitError, SetupError, UsageError
from kitlib.host.frontend import headless
from kitlib.learning import answers
from kitlib.learning.frame import Option, Question
from kitlib.learning.words import Shown, card, link
from kitlib.views.markup import marked


@dataclass(frozen=True)
class Quiz:
    """The questions of one chapter."""

    questions: tuple[Question, ...]

    @property
    def shown(self) -> Shown:
        """All questions with their options; the answers come last in the text, and are folded in HTML."""
        if not self.questions:
            return Shown("This chapter has no questions.", card("This chapter has no questions."))
        asked = [_asked(number, question) for number, question in enumerate(self.questions, 1)]
        told = [_told(number, question) for number, question in enumerate(self.questions, 1)]
        return Shown("\n\n".join([*asked, "Answers", *told]), "".join(map(_folded, self.questions)))

    def choose(self, question: int, says: str) -> Shown:
        """Answer a question from code: its number, from 1, and the text of an option.  The feedback is returned.

        Raises UsageError for a number or an option that is not offered.
        """
        numbered = dict(enumerate(self.questions, 1))
        if question not in numbered:
            raise UsageError(f"there is no question {question}", hint=f"1 to {len(numbered)}")
        option = answers.choose(numbered[question], says)
        return Shown(f"{_mark(option)} {option.because}", _feedback(numbered[question], option))

    def __repr__(self) -> str:
        return self.shown.text

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """Buttons in a live notebook, else text and HTML."""
        if headless() or not self.questions:
            return {"text/plain": self.shown.text, "text/html": self.shown.html}
        return self._buttons()._repr_mimebundle_()

    def _buttons(self) -> Any:
        kept = answers.chosen(self.questions)
        return ipywidgets.VBox([_panel(question, kept.get(question.id)) for question in self.questions])


def _panel(question: Question, kept: Option | None) -> Any:
    """One question: its text, a button per option, and the feedback to the pressed one."""
    feedback = ipywidgets.HTML(_feedback(question, kept))
    buttons = ipywidgets.RadioButtons(
        options=[option.says for option in question.options],
        value=kept.says if kept else None,
        layout={"width": "max-content"},
    )

    def pressed(change: Any) -> None:
        try:
            feedback.value = _feedback(question, answers.choose(question, change["new"]))
        except SetupError as e:
            option = next(it for it in question.options if it.says == change["new"])
            feedback.value = _feedback(question, option) + _unkept(e)

    buttons.observe(pressed, names="value")
    asks = ipywidgets.HTML(f"<strong>{marked(question.asks)}</strong>")
    return ipywidgets.VBox([asks, buttons, feedback], layout={"margin": "0 0 1em 0"})


def _mark(option: Option) -> str:
    return "✓ Right." if option.right else "✗ Not quite."


def _feedback(question: Question, option: Option | None) -> str:
    """HTML; nothing before there is an answer."""
    if option is None:
        return ""
    more = link("Documentation", question.source)
    return f"<div style='max-width:48em'><strong>{_mark(option)}</strong> {marked(option.because)} {more}</div>"


def _unkept(error: KitError) -> str:
    return f"<div>{marked(error.message)}. Next: {marked(error.hint)}</div>"


def _asked(number: int, question: Question) -> str:
    options = [f"   {letter}) {option.says}" for letter, option in zip(ascii_lowercase, question.options, strict=False)]
    return "\n".join([f"{number}. {question.asks}", *options])


def _told(number: int, question: Question) -> str:
    lines = [
        f"   {letter}) {'✓' if option.right else '✗'} {option.because}"
        for letter, option in zip(ascii_lowercase, question.options, strict=False)
    ]
    return "\n".join([f"{number}. {question.asks}", *lines, f"   {question.source}"])


def _folded(question: Question) -> str:
    options = "".join(f"<li>{marked(option.says)}</li>" for option in question.options)
    told = "".join(f"<li><strong>{_mark(option)}</strong> {marked(option.because)}</li>" for option in question.options)
    listed = "<ol type='a' style='margin:.2em 0'>{}</ol>"
    return card(
        f"<strong>{marked(question.asks)}</strong>{listed.format(options)}",
        f"<details><summary>Answers</summary>{listed.format(told)}{link('Documentation', question.source)}</details>",
    )
