"""Wrong answers to the exercises of 1-go-basics: cells, as a learner would run them."""

from functools import partial

from kitlib.cluster.bound import Cluster
from kitlib.exercises import go_basics
from tests.notebooks.answers import cells

LINES, FIRST, SHOP = go_basics.Lines, go_basics.First, go_basics.Shop


def _cell(text: str, _: Cluster) -> None:
    cells.run(text)


WRONG = {
    LINES.name: (
        partial(_cell, LINES.given_text),
        partial(_cell, LINES.given_text.replace("log.Fatal(err)", "continue").replace(",log", "")),
    ),
    FIRST.name: (
        partial(_cell, FIRST.given_text),
        partial(_cell, FIRST.solution_text.replace("make(chan string, len(servers))", "make(chan string)")),
    ),
    SHOP.name: (
        partial(_cell, SHOP.solution_text.replace('`json:"price"`', "")),
        partial(_cell, SHOP.solution_text.replace("http.StatusNotFound", "http.StatusOK")),
    ),
}
