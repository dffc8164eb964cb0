"""Answers as bash texts: `kubectl`, `docker` and the chapter's files, run as JupyterLab's terminal would."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kitlib.cluster.bound import Cluster
from kitlib.host import proc
from kitlib.learning import starters
from kitlib.runner import workplace

SECONDS = 300


@dataclass(frozen=True)
class Bash:
    """A text for bash.  chapter: whose files it works with."""

    text: str
    chapter: str = ""

    def __call__(self, cluster: Cluster) -> str:
        """Run it on the tests' cluster; returns what it printed."""
        assert cluster
        return run(self.text, self.chapter)


def bash(text: str) -> Bash:
    """A wrong answer as a text for bash.  The exercise that it belongs to says which chapter's files it finds."""
    return Bash(text)


def run(text: str, chapter: str) -> str:
    """Run a text with fresh copies of the chapter's files, in the kit's environment; returns what it printed.

    Raises CommandFailed at the first command that fails, and for an unset variable.
    """
    with TemporaryDirectory(prefix="kit-answer-") as work:
        folder = Path(work)
        if (starters.SOURCE / chapter).is_dir() and chapter:
            found = starters.folder(chapter, folder)
            found.lay_out()
            folder = found.path
        argv = ["bash", "-euo", "pipefail", "-c", text]
        return proc.transcript(argv, cwd=folder, env=workplace.whole(), timeout=SECONDS)
