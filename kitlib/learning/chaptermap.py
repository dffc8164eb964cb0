"""The map of chapters in the README, between two markers, made from chapters.yaml; `python -m kitlib.learning` writes it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kitlib.errors import InputError
from kitlib.host import textfile
from kitlib.learning.frame import Frame
from kitlib.learning.header import minutes
from kitlib.paths import ROOT

PAGE = ROOT / "README.md"
BEGIN, END = "<!-- chapters: made by python -m kitlib.learning -->", "<!-- /chapters -->"


def rows(frames: Iterable[Frame]) -> str:
    """The map as a Markdown table: each chapter with its question and its minutes."""
    head = ["| chapter | its question | to read and do | to measure |", "|---|---|---|---|"]
    return "\n".join([*head, *map(_row, frames)])


def written(text: str, frames: Iterable[Frame]) -> str:
    """The page's text with the map of these chapters in it.  Raises InputError when the markers are missing."""
    page = textfile.between(text, BEGIN, END, rows(frames))
    if page is None:
        raise InputError(f"{textfile.shown(PAGE)} has no map of chapters", hint=f"put {BEGIN} and {END} around it")
    return page


def write(frames: Iterable[Frame], page: Path = PAGE) -> None:
    """Write the map of these chapters to the page."""
    page.write_text(written(textfile.read(page), frames), encoding="utf-8")


def _row(frame: Frame) -> str:
    measuring = minutes(frame.measuring.minutes) if frame.measuring else ""
    return f"| [{frame.title}](notebooks/{frame.name}.ipynb) | {frame.question} | {frame.minutes} min | {measuring} |"
