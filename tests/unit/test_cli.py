"""The command line's promise: 0 done, 1 something failed, 2 wrong usage; an error says what to do next."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitlib import supply
from kitlib.cli import main
from kitlib.paths import ROOT

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No engine answers, the state is the test's own, and no supply was chosen before."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    monkeypatch.setenv("KIT_SUPPLY", "packages")
    supply.choose.cache_clear()
    yield
    supply.choose.cache_clear()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["up", "extra"],
        ["run", "--profile", "slow"],
        ["images"],
        ["images", "eat"],
        ["stacks"],
        ["stacks", "eat"],
        ["test", "--all"],
    ],
    ids=" ".join,
)
def test_words_that_are_no_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown commands and options end with 2 and the usage, before anything is done."""
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: kit")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["images", "list", "nope"], "kit: no image is called nope\nnext: one of debian, "),
        (["images", "build", "debian", "nope"], "kit: no image is called nope\nnext: one of debian, "),
        (["images", "pull"], "kit: the supply `packages` pulls nothing\nnext: ./kit images build, "),
        (["stacks", "install", "nope"], "kit: no stack is called nope\nnext: one of logs, metrics, traces, "),
        (["stacks", "install"], "kit: which stack?\nnext: ./kit stacks install logs; "),
        (["run", "99"], "kit: no chapter is called '99'\n"),
        (["run", "2.3", "nope"], "kit: no chapter is called 'nope'\n"),
        (["run", "2.3", "-p", "nope=1"], "kit: no chosen chapter has a parameter 'nope'\nnext: "),
        (["run", "2.3", "-p", "nope"], "kit: 'nope' is not KEY=VALUE\nnext: "),
        (["run", "2.3", "-p", "profile=full"], "kit: the profile is not a parameter of its own\nnext: --profile"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Names that the kit does not know end with 2 and those that it does."""
    code = main(words)
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert err.startswith(said)
    assert "\nnext: " in err


def test_unknown_supply(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A KIT_SUPPLY that is none is wrong usage of the kit, too."""
    monkeypatch.setenv("KIT_SUPPLY", "x")

    assert main(["images", "list"]) == 2
    assert capsys.readouterr().err.startswith("kit: KIT_SUPPLY=x is not a supply\nnext: one of ")


def test_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What fails for another reason ends with 1, the message and the next step, and no traceback."""
    monkeypatch.setenv("KIT_SUPPLY", "mirror")

    assert main(["images", "list"]) == 1
    assert capsys.readouterr().err == (
        "kit: the supply mirror is not in this version of the kit\nnext: KIT_SUPPLY=upstream or KIT_SUPPLY=packages\n"
    )


def test_list_of_chapters(capsys: pytest.CaptureFixture[str]) -> None:
    """run --list names every notebook but the template, with its title, and runs none."""
    code = main(["run", "--list"])
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    there = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} - {"template"}

    assert code == 0
    assert {name for name, _ in lines} == there
    assert all(title.strip() for _, title in lines)
    assert len(lines) == len(there)


def test_list_of_images(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an engine the images are listed as not being here, with what they would be called and stand for."""
    code = main(["images", "list", "debian"])
    line = capsys.readouterr().out

    assert code == 0
    assert line.split()[:3] == ["debian", "not", "here"]
    assert "kit.local/debian:" in line
    assert "(stands for docker.io/library/debian:bookworm-slim)" in line


def test_exit_code_reaches_the_shell() -> None:
    """The process ends with the command's code; stdout is left to data."""
    argv = [sys.executable, "-m", "kitlib", "images", "list", "nope"]
    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("kit: no image is called nope\n")
