"""Every chapter, executed for real: by the kit twice in a row, and by the tools that CI users have."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kitlib import claims, paths
from kitlib.chapters import Chapter, chapters
from kitlib.cluster import Cluster
from kitlib.run import execute

BIN = Path(sys.executable).parent
CHAPTERS = chapters()
NAMES = [c.name for c in CHAPTERS]


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_chapter_runs_and_is_judged(cluster: Cluster, tmp_path: Path, time: str) -> None:
    """`run` with every chapter, twice in a row on one cluster: nothing fails, every claim has a verdict, the report is whole."""
    done = execute(CHAPTERS, profile="quick", out=tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    junit = ElementTree.parse(tmp_path / "junit.xml").getroot()

    assert [f.summary for f in done.failures] == [], time
    assert {c.id for c in claims.register()} == {r["claim"] for r in results}
    assert all(r["verdict"] in ("holds", "refuted", "depends") and r["n"] >= 1 for r in results)
    assert all(r["stamp"]["kubernetes"]["version"] == cluster.kube.version() for r in results)
    assert not junit.findall(".//failure")
    assert (tmp_path / "index.html").read_text().count("<figure") >= len(results)


RUNNERS = {
    "papermill": [BIN / "papermill", "{notebook}", "{out}/executed.ipynb"],
    "nbconvert": [BIN / "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output-dir", "{out}", "{notebook}"],
    "nbval": [BIN / "pytest", "--nbval-lax", "-p", "no:cacheprovider", "{notebook}"],
}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
@pytest.mark.parametrize(("runner", "start"), [("papermill", "."), ("nbconvert", "notebooks"), ("nbval", ".")])
def test_other_runners(cluster: Cluster, tmp_path: Path, chapter: Chapter, runner: str, start: str) -> None:
    """The notebook also runs, unchanged, under the tools that know nothing of the kit, from the root and from notebooks/."""
    folder = paths.ROOT / start
    values = {"notebook": str(chapter.path.relative_to(folder)), "out": str(tmp_path)}
    argv = [str(word).format(**values) for word in RUNNERS[runner]]
    outside = {k: v for k, v in os.environ.items() if k not in ("KIT_RUN", "KIT_PROFILE")}
    done = subprocess.run(argv, cwd=folder, env=outside, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert cluster.kube.list("Pod", "kit-multi-stage") == []
