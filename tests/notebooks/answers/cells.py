"""Go cells, run as the notebook's magic runs them."""

from kitlib.exercises.go_basics import CHAPTER
from kitlib.golang.magics import run_cell
from kitlib.golang.workspace import Module

MAGIC = "%%go "


def run(text: str) -> None:
    line, _, body = text.removeprefix(MAGIC).partition("\n")
    run_cell(Module.open(CHAPTER), line, body)
