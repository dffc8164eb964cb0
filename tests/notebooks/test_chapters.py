"""Every chapter, executed for real: by the kit twice in a row, and by the tools that CI users have."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kitlib import paths
from kitlib.claims import register as claims
from kitlib.cluster.bound import Cluster
from kitlib.runner.chapters import chapters
from kitlib.runner.run import execute

BIN = Path(sys.executable).parent
CHAPTERS = chapters()
NAMES = [c.name for c in CHAPTERS]
NOWHERE = {c.id for c in claims.register() if c.expected == "not-measurable"}


def test_every_chapter_runs_and_is_judged(cluster: Cluster, tmp_path: Path) -> None:
    """`run` with every chapter: nothing fails, every claim has a verdict, the report is whole."""
    done = execute(CHAPTERS, profile="quick", out=tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    junit = ElementTree.parse(tmp_path / "junit.xml").getroot()

    assert [f.summary for f in done.failures] == []
    assert {c.id for c in claims.register()} == {r["claim"] for r in results}
    assert {r["claim"] for r in results if r["verdict"] == "not-measurable"} == NOWHERE
    measured = [r for r in results if r["claim"] not in NOWHERE]
    assert all(r["verdict"] in ("holds", "refuted", "depends") and r["n"] >= 1 for r in measured)
    assert all(r["stamp"]["kubernetes"]["version"] == cluster.kube.version() for r in measured)
    assert not junit.findall(".//failure")
    assert (tmp_path / "index.html").read_text().count("<figure") >= len(results)


RUNNERS = {
    "papermill": [BIN / "papermill", "{notebook}", "{out}/executed.ipynb"],
    "nbconvert": [BIN / "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output-dir", "{out}", "{notebook}"],
    "nbval": [BIN / "pytest", "--nbval-lax", "-p", "no:cacheprovider", "{notebook}"],
}
# The first chapter of each part of the guide: all would take too long.
PARTS = {name[0]: name for name in reversed(NAMES)}
AGAIN = [(name, "nbval", ".") for name in PARTS.values()]  # a second time on the same cluster, and in another order
OTHERS = [(NAMES[0], "papermill", "."), (NAMES[0], "nbconvert", "notebooks")]


@pytest.mark.parametrize(("chapter", "runner", "start"), [*AGAIN, *OTHERS])
def test_other_runners(cluster: Cluster, tmp_path: Path, chapter: str, runner: str, start: str) -> None:
    """The notebook also runs, unchanged, under the tools that know nothing of the kit, from the root and from notebooks/."""
    folder = paths.ROOT / start
    notebook = (paths.ROOT / "notebooks" / f"{chapter}.ipynb").relative_to(folder)
    argv = [str(word).format(notebook=notebook, out=tmp_path) for word in RUNNERS[runner]]
    outside = {k: v for k, v in os.environ.items() if k not in ("KIT_RUN", "KIT_PROFILE")}
    before = _spaces(cluster)
    done = subprocess.run(argv, cwd=folder, env=outside, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert _spaces(cluster) <= before


def _spaces(cluster: Cluster) -> set[str]:
    """The kit's namespaces: a chapter leaves none behind."""
    return {n["metadata"]["name"] for n in cluster.kube.list("Namespace") if n["metadata"]["name"].startswith("kit-")}
