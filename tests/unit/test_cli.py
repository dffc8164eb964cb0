"""The command line's promise: 0 done, 1 something failed, 2 wrong usage; an error says what to do next."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.claims import register as claims
from kitlib.cli import main, parser
from kitlib.cluster import placement
from kitlib.engine import client as engine
from kitlib.paths import ROOT
from kitlib.runner import preparing
from kitlib.supply import choice as supply
from kitlib.supply import images

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


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["statu"], "did you mean status?"),
        (["run", "--lisst"], "did you mean --list?"),
        (["run", "--profile", "ful"], "did you mean full?"),
        (["run", "--profle=full"], "did you mean --profile?"),
        (["down", "--image"], "did you mean --images?"),
        (["images", "lst"], "did you mean list?"),
        (["test", "--lnt"], "did you mean --lint?"),
        (["stacks", "xyz"], "./kit stacks --help"),
        (["zzz"], "./kit --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_misspelt_word_is_answered_with_the_right_one(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command, action, option or choice that is nearly right is suggested; an option is never taken for a longer one."""
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"\nnext: {meant}\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["images", "list", "debiann"], "did you mean debian?"),
        (["stacks", "remove", "metric"], "did you mean metrics?"),
        (["run", "2.3-multistage"], "did you mean 2.3-multi-stage?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_misspelt_name_is_answered_with_the_right_one(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is the name of an image, a stack or a chapter."""
    assert main(words) == 2
    assert capsys.readouterr().err.endswith(f"\nnext: {hint}\n")


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    """`./kit` alone shows all commands, and ends with 2, as nothing was done."""
    with pytest.raises(SystemExit) as ended:
        main([])
    said = capsys.readouterr()

    assert (ended.value.code, said.out) == (2, "")
    assert "\n    doctor " in said.err


def kit(*words: str, shell: str = 'exec "$@"', **env: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, started by a shell that may do something to its streams."""
    return subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-m", "kitlib", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ('"$@" >&-', 0, ""),
        ('"$@" <&-', 0, ""),
        ('"$@" > /dev/full', 1, "kit: no space left on device\nnext: "),
    ],
)
def test_streams_that_are_not_there(shell: str, code: int, said: str) -> None:
    """A closed stdin or stdout changes nothing, and a stdout that takes nothing is a failure in words."""
    ended = kit("run", "--list", shell=shell)

    assert ended.returncode == code
    assert ended.stderr.startswith(said) and "Traceback" not in ended.stderr and "Exception" not in ended.stderr
    assert bool(ended.stderr) == bool(said)


def test_a_reader_that_has_seen_enough() -> None:
    """When the reader of stdout has gone, as `head` does, the command ends in silence as other commands of Unix do."""
    reader, writer = os.pipe()
    os.close(reader)
    argv = [sys.executable, "-m", "kitlib", "run", "--list"]
    ended = subprocess.run(argv, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)

    assert (ended.returncode, ended.stderr) == (128 + 13, "")


def test_a_locale_without_the_signs() -> None:
    """Where stdout cannot say ✗ or ’ the text comes without them."""
    ended = kit("run", "--list", PYTHONIOENCODING="ascii")

    assert ended.returncode == 0
    assert "9-verdicts" in ended.stdout


COMMANDS = [
    *(["-h"] if c == "" else [c, "-h"] for c in ("", *re.findall(r"^    (\w+) ", parser().format_help(), re.M)))
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_of_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command describes itself and makes nothing."""
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(" ".join(["usage: kit", *words[:-1]]))
    assert list(Path(os.environ["KIT_HOME"]).iterdir()) == []


def test_a_broken_register_is_told_before_a_cluster_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run` reads the register first: what is wrong in it is wrong input, and nothing was begun; `run --list` does without it."""
    (tmp_path / "claims.yaml").write_text("claims:\n\t- id: x")
    monkeypatch.setattr(claims.register, "__defaults__", (tmp_path / "claims.yaml",))
    monkeypatch.setattr(preparing, "_make", lambda _: pytest.fail("something was made"))

    assert main(["run", "2.3"]) == 2
    assert capsys.readouterr().err.startswith("kit: claims.yaml, line 2 is not YAML: ")
    assert main(["run", "--list"]) == 0


@pytest.mark.parametrize("words", [["images", "list"], ["images", "build", "debian"], ["up"]], ids=" ".join)
def test_a_broken_catalogue_is_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands that read images.toml end with 2, the line that is broken, and what to do."""
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "images.toml").write_text("[debian\n")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(engine, "ensure", lambda: None)
    monkeypatch.setattr(placement, "refuse_foreign", lambda *_: None)
    images.catalogue.cache_clear()
    code = main(words)
    images.catalogue.cache_clear()
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("supply: ")]

    assert code == 2
    assert lines[0].startswith("kit: cluster/images.toml, line 1: is not TOML: ")
    assert [line[:6] for line in lines[1:]] == ["next: "]


def test_unknown_supply(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown KIT_SUPPLY is also wrong usage of the kit."""
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


@pytest.mark.parametrize("words", [["2.3"], ["--profile", "full"], ["-p", "a=1"]], ids=" ".join)
def test_a_run_is_resumed_as_it_was_begun(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Chapters, profile and parameters are those of the run, so they are refused beside --resume."""
    assert main(["run", "--resume", *words]) == 2
    assert "--resume goes on with a run as it was begun" in capsys.readouterr().err
