"""What a command does not need it does not import: help and status answer at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "IPython",
    "ipywidgets",
    "jupyterlab",
    "kubernetes",
    "matplotlib",
    "nbformat",
    "numpy",
    "pandas",
    "papermill",
    "scipy",
}
OTHERS = {"docker", "filelock", "jinja2", "platformdirs", "psutil", "requests", "rich", "yaml"}
CODE = """
import sys
from kitlib.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
from_here = {name.partition(".")[0] for name in sys.modules}
print("imported:", *sorted(from_here))
"""


def imported(*words: str, code: str = CODE, **env: str) -> set[str]:
    """The packages that a process has imported when a command has ended."""
    said = subprocess.run(
        [sys.executable, "-c", code, *words], env={**os.environ, **env}, capture_output=True, text=True, check=True
    )
    return set(said.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["-x"]], ids=" ".join)
def test_help_needs_the_standard_library_only(words: list[str]) -> None:
    """Help and a wrong word import nothing that was installed."""
    found = imported(*words)

    assert "kitlib" in found
    assert found & (HEAVY | OTHERS) == set()


def test_the_list_of_chapters_needs_their_frames_only() -> None:
    """`run --list` reads chapters.yaml, and imports nothing that measures, draws or runs notebooks."""
    assert imported("run", "--list") & (HEAVY | OTHERS) == {"yaml"}


def test_status_needs_the_engines_client_only(tmp_path: Path) -> None:
    """Without a cluster, status imports the client of the engine, and nothing that measures, draws or runs notebooks."""
    env = {"KIT_HOME": str(tmp_path), "DOCKER_HOST": "tcp://127.0.0.1:9", "NO_PROXY": "*", "KIT_SUPPLY": "packages"}
    found = imported("status", **env)

    assert found & (HEAVY | OTHERS) == {"docker", "requests"}


def test_a_bound_cluster_needs_nothing_that_measures() -> None:
    """With a cluster, status imports the kit's own client of the API as well, but not the `kubernetes` package."""
    found = imported(code=CODE.replace("from kitlib.cli", "import kitlib.cluster.bound\nfrom kitlib.cli"))

    assert found & HEAVY == set()


def test_the_import_of_a_notebook_is_light() -> None:
    """`import kitlib` and a list of what is in its largest rooms import nothing that was installed."""
    code = CODE.replace("from kitlib.cli import main", "import kitlib as kit")
    code = code.replace("main(sys.argv[1:])", "dir(kit), dir(kit.views), dir(kit.measure)")

    assert imported(code=code) & (HEAVY | OTHERS) == set()
