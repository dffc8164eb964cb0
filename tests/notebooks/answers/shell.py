"""Answers as bash texts: `kubectl`, `docker` and the chapter's files, run as JupyterLab's terminal would."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kitlib.cluster.bound import Cluster
from kitlib.exercises import terminal
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


def applied(name: str, space: str, *commands: str) -> Bash:
    """A wrong answer: the file of an exercise, in place of what an earlier answer left in the namespace kit-SPACE, and more commands."""
    instance = name.rpartition("/")[2]
    lines = [
        f"kubectl -n kit-{space} delete deployment {instance} --ignore-not-found --cascade=foreground",
        f"kubectl apply -f {instance}.yaml",
        *commands,
    ]
    return bash(terminal.space(space) + "\n".join(lines))


def built(tag: str, dockerfile: str = "", *, file: str = "", folder: str = ".", options: str = "") -> Bash:
    """A wrong answer: an image of a Dockerfile.  file: a starter file, in place of a text; folder: the build context.

    options: more of `docker build`, such as the build arguments.
    """
    wrote = "" if file else f"cat > wrong.Dockerfile <<'END'\n{dockerfile}END\n"
    return bash(f"{wrote}docker build {options} -f {file or 'wrong.Dockerfile'} -t {tag} {folder}")


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
