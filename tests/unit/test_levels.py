"""A level that a measurement does not know is refused before the first trial, from the source of the cell alone."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

import kitlib as kit
from kitlib.claims import levels
from kitlib.claims.experiments import experiment
from kitlib.claims.levels import takes
from kitlib.claims.register import claim
from kitlib.claims.rows import load
from kitlib.errors import ClaimError, UsageError
from kitlib.measure.workloads import replicas, rollouts
from kitlib.paths import ROOT
from kitlib.views.plots import plot
from tests.unit.frames import sizes

ALWAYS = claim("3.2-replicas")
CELLS = "def measure_replicas(event):\n    return replicas.disturb(namespace, 'catalog', event)\n"


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results go to a folder of the test."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


def cell(source: str, **names: Any) -> dict[str, Any]:
    """The names of a notebook after this cell, whose source can be read as IPython lets it be read."""
    file = f"<cell {abs(hash(source))}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)  # noqa: S102
    return names


def refused(measure: Any, over: Mapping[str, Sequence[Any]]) -> str:
    """The words with which the levels are refused, with the hint."""
    with pytest.raises(UsageError) as error:
        levels.check(measure, over)
    return str(error.value)


def test_an_unknown_event_runs_nothing_and_stores_nothing() -> None:
    """Not even the trials of the known level run: a misspelt event is refused at once, with the one that was meant."""
    measure = cell(CELLS, replicas=replicas, namespace=None)["measure_replicas"]

    with pytest.raises(UsageError, match="did you mean delete a pod"):
        experiment(ALWAYS, measure, over={"event": ["delete a pod", "delete a pood"]}, repeats=1)

    assert load(ALWAYS.id).empty


def test_the_measurement_itself_refuses_too() -> None:
    """A call outside of an experiment is refused before the cluster is touched."""
    with pytest.raises(UsageError, match="did you mean crash a container"):
        replicas.disturb(None, "catalog", "crash a containr")  # type: ignore[arg-type]


def test_trials_of_a_batch_are_checked_one_by_one() -> None:
    """One level of many is enough, and a trial without the treatment is refused too."""
    source = "def measure(trials):\n    return rollouts.roll(namespace, image, trials)\n"
    measure = cell(source, rollouts=rollouts)["measure"]

    assert "did you mean" in refused(measure, {"setting": ["drain, one more", "drain, one moore"]})
    with pytest.raises(UsageError, match="no 'setting'"):
        rollouts.roll(None, "", [{"settings": "drain, one more"}])  # type: ignore[arg-type]


@takes({"seconds": "s"}, image=["goapp-a", "goapp-b"], ways=["one", "two"])
def build(image: str, ways: Sequence[str] = ()) -> dict[str, float]:
    """A measurement with two treatments."""
    return {"seconds": len(image) + len(ways)}


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHECKED = 35  # experiments of the chapters whose levels can be read; others are refused at their call


def test_most_experiments_of_the_chapters_are_checked_before_they_run() -> None:
    """A level of no chapter is refused from the cells of the notebooks as they are, without running one of them."""
    treatments = [(over, measure) for path in NOTEBOOKS for over, measure in _experiments(_notebook(path))]
    assert sum(_refuses(measure, name) for names, measure in treatments for name in names) >= CHECKED


def _notebook(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def _experiments(notebook: Any) -> Iterator[tuple[list[str], Any]]:
    """The treatments of each experiment, and its measure, made of the notebook's imports, constants and functions alone."""
    names: dict[str, Any] = {"kit": kit}
    for code in (c.source for c in notebook.cells if c.cell_type == "code" and not c.source.startswith("%%")):
        tree = ast.parse(TransformerManager().transform_cell(code))
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                names = cell(ast.unparse(node) + "\n", **names)
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        for call in (call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "experiment"):
            (over,) = (k.value for k in call.keywords if k.arg == "over")
            yield [ast.literal_eval(key) for key in over.keys], names.get(ast.unparse(call.args[1]))  # type: ignore[attr-defined]


def _refuses(measure: Any, treatment: str) -> bool:
    try:
        levels.check(measure, {treatment: ["no such level"]})
    except UsageError:
        return True
    return False


@pytest.mark.parametrize(
    ("source", "over"),
    [
        ("def measure(image):\n    return build(f'goapp-{image}')", {"image": ["a", "c"]}),
        ("def measure(image):\n    return 100 * build(image=image)['x']", {"image": ["goapp-c"]}),
        ("def measure(trials):\n    return build('goapp-a', [t['way'] for t in trials])", {"way": ["one", "tow"]}),
        ("def measure(level):\n    made = build(TABLE[level])\n    return made", {"level": ["z"]}),
        ("def measure(image):\n    '''Words.'''\n    it = build(image)\n    return it | {'a': 1}", {"image": ["c"]}),
        ("def measure(image):\n    return build(image) if build(image) else 0", {"image": ["c"]}),
    ],
)
def test_a_cell_is_read_as_it_is_written(source: str, over: dict[str, list[str]]) -> None:
    """The level may stand in an f-string, in a keyword, in a list made of the trials, or be looked up in a table."""
    assert "is not" in refused(cell(source, build=build, TABLE={"a": "goapp-a"})["measure"], over)


@pytest.mark.parametrize(
    "source",
    [
        "def measure(image):\n    return 1.0 if image == 'mine' else build(image)",
        "def measure(image):\n    if image == 'mine':\n        return 1.0\n    return build(image)",
        "def measure(image):\n    image = 'goapp-a'\n    return build(image)",
        "def measure(image):\n    return image == 'mine' or build(image)",
        "measure = lambda image: 1.0",
    ],
)
def test_what_not_every_trial_calls_refuses_nothing(source: str) -> None:
    """A level that a cell treats on its own is the learner's, and is measured."""
    levels.check(cell(source, build=build)["measure"], {"image": ["mine"]})


def test_a_misspelt_treatment_is_refused() -> None:
    """Over has the names of the measure's own parameters, all of them."""
    with pytest.raises(UsageError, match="did you mean image"):
        experiment(ALWAYS, lambda image: len(image), over={"imag": ["a"]}, repeats=1)
    with pytest.raises(UsageError, match="over= has no 'way'"):
        experiment(ALWAYS, lambda image, way: len(image + way), over={"image": ["a"]}, repeats=1)


def test_a_unit_that_the_measurement_declares_need_not_be_given() -> None:
    """A forgotten `units=` costs no trial."""
    source = "def measure(image):\n    return build(image) | {'below_seconds': 1.0}"
    measure = cell(source, build=build)["measure"]

    runs = experiment(ALWAYS, measure, over={"image": ["goapp-a"]}, repeats=1)

    assert dict(zip(runs["metric"], runs["unit"], strict=True)) == {"seconds": "s", "below_seconds": ALWAYS.unit}


def test_a_claim_is_not_its_id() -> None:
    """The hint is the call that was meant."""
    with pytest.raises(UsageError, match=r'kit\.experiment\(kit\.claim\("3\.2-replicas"\)'):
        experiment("3.2-replicas", lambda event: len(event), over={"event": ["x"]}, repeats=1)  # type: ignore[arg-type]
    with pytest.raises(ClaimError, match=r"did you mean 3\.2-replicas"):
        claim("3.2-replica")


def test_a_plot_names_the_metric_that_was_meant() -> None:
    """So it is with the column to compare by."""
    runs = sizes([800e6], [9e6])
    with pytest.raises(ClaimError, match="did you mean compressed"):
        plot(runs, metric="compresed")
    with pytest.raises(ClaimError, match="did you mean dockerfile"):
        plot(runs, x="dokerfile")
