"""What a learner sees when a cell fails: the message, the next step and the line of the cell; every other error as IPython shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from kitlib.errors import CommandFailed, KitError, WaitTimeout, expect
from kitlib.kube import wait
from kitlib.runner import names, workplace

new: Any = nbformat.v4


class Shell(InteractiveShell):
    """A shell without a history, which keeps what it shows of an error."""

    shown = ""
    name = ""

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self.name, self.shown = etype.__name__, "\n".join(stb)
        del evalue


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("KIT_DEBUG", raising=False)
    made = cast(Any, Shell)(colors="nocolor")
    made.history_manager.enabled = False
    names.install(made)
    yield made
    made.restore_sys_module_state()


def fails(shell: Any, source: str) -> str:
    """What the shell shows of the error of a cell."""
    result = shell.run_cell(source)
    assert result.error_in_exec is not None
    return str(shell.shown)


def test_an_error_of_the_kit_has_no_frames(shell: Any) -> None:
    """Three things: what happened, what to do, and in which line."""
    cell = "from kitlib import errors\nerrors.choice('blu', ['blue'], 'a colour')"

    assert fails(shell, cell).splitlines() == [
        "UsageError: 'blu' is not a colour",
        "next: did you mean blue?",
        "in line 2 of the cell: errors.choice('blu', ['blue'], 'a colour')",
    ]
    assert shell.name == "UsageError"


def test_an_error_of_a_cell_in_another_language_stands_alone(shell: Any) -> None:
    """Python sees such a cell as one line, which the learner has not written."""
    shell.run_line_magic("load_ext", "kitlib.views.promql")

    assert fails(shell, "%%promql nowhere\nup").splitlines() == [
        "UsageError: no variable nowhere has a client of a Prometheus",
        "next: metrics = kit.stacks.metrics.install(cluster)",
    ]


def test_a_function_of_the_notebook_is_named(shell: Any) -> None:
    """An error that came through a function of an earlier cell: the line that called it, and its own."""
    shell.run_cell("from kitlib import errors\n\ndef colour(name):\n    errors.choice(name, ['blue'], 'a colour')")

    assert fails(shell, "colour('red')").splitlines()[-2:] == [
        "in line 1 of the cell: colour('red')",
        "in line 4 of colour(): errors.choice(name, ['blue'], 'a colour')",
    ]


def test_a_cause_in_a_library_is_not_shown(shell: Any) -> None:
    """An error that was mapped at the edge, and one raised while another was handled."""
    cell = "from kitlib.errors import KitError\ntry:\n    {}['x']\nexcept KeyError as e:\n    raise KitError('no x') from e"
    shown = fails(shell, cell)

    assert shown.splitlines()[0] == "KitError: no x"
    assert "KeyError" not in shown.replace("except KeyError", "")


def test_all_frames_are_shown_when_asked_for(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """KIT_DEBUG=1, for those who work on the kit."""
    monkeypatch.setenv("KIT_DEBUG", "1")
    shown = fails(shell, "from kitlib import errors\nerrors.choice('blu', ['blue'], 'a colour')")

    assert "Traceback (most recent call last)" in shown
    assert "kitlib/errors.py" in shown
    assert shown.splitlines()[-2:] == ["kitlib.errors.UsageError: 'blu' is not a colour", "next: did you mean blue?"]


def test_a_command_stands_as_it_was_typed(shell: Any) -> None:
    """IPython makes a call of `!command`, which is not in the cell."""

    def system(command: str) -> None:
        raise CommandFailed(command, 1, "")

    shell.system = system

    assert fails(shell, "!kubectl get pods").splitlines()[-1] == "in line 1 of the cell: !kubectl get pods"


def test_other_errors_are_shown_as_before(shell: Any) -> None:
    """IPython's traceback of a mistake in the cell itself, and a name that no cell makes."""
    assert "ZeroDivisionError" in fails(shell, "1 / 0")
    shown = fails(shell, "no_cell_of_the_kit_makes_this")

    assert "name 'no_cell_of_the_kit_makes_this' is not defined" in shown
    assert names.STEP not in shown


def test_a_name_of_an_earlier_cell_has_a_next_step(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart of the kernel: the notebook that is open says whether a cell makes the name."""
    cells = [new.new_code_cell("!ls\nyard = cluster.namespace('yard')"), new.new_code_cell("yard.apply()")]
    nbformat.write(new.new_notebook(cells=cells), tmp_path / "own.ipynb")  # type: ignore[no-untyped-call]
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "own.ipynb"))
    shown = fails(shell, "yard.apply()")

    assert "NameError: name 'yard' is not defined" in shown
    assert shown.splitlines()[-1] == names.STEP


def test_without_a_server_all_chapters_are_searched(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an editor, the notebook has no name; `namespace` is made in most of them."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)

    assert fails(shell, "namespace.apply()").splitlines()[-1] == names.STEP
    assert names.STEP not in fails(shell, "namespce.apply()")


def test_a_handler_that_is_there_is_kept(shell: Any) -> None:
    """Another extension's handler of errors is not replaced."""
    shell.set_custom_exc((KeyError,), lambda *_, **__: None)
    names.install(shell)

    assert shell.custom_exceptions == (KeyError,)


@pytest.mark.parametrize(
    ("source", "name", "makes"),
    [
        ("cluster = kit.bind()\nnamespace = cluster.namespace('x')", "namespace", True),
        ("rollout, namespace = f()", "namespace", True),
        ("import kitlib as kit", "kit", True),
        ("with private.registry() as registry:", "registry", True),
        ("from a import b, c", "c", True),
        ("count: int = 3", "count", True),
        ("def f(a): ...", "f", True),
        ("for pod in pods:", "pod", True),
        ("if namespace == 3:", "namespace", False),
        ("f(namespace=3)", "namespace", False),
        ("namespace.x = 3", "namespace", False),
        ("print(namespace)", "namespace", False),
        ("namespace2 = 3", "namespace", False),
    ],
)
def test_what_makes_a_name(source: str, name: str, makes: bool) -> None:
    """An assignment, an import, a definition or a block does; a use does not."""
    assert names.made(name, [source]) == makes


def pod(reason: str) -> list[str]:
    status = {"name": "goapp", "state": {"waiting": {"reason": reason, "message": "Back-off"}}}
    found = {
        "metadata": {"name": "a-1", "namespace": "n"},
        "status": {"phase": "Pending", "containerStatuses": [status]},
    }
    return wait._pod(None, found)  # type: ignore[arg-type]


OLD = [f"event Unhealthy: Pod/old-{number}: Readiness probe failed" for number in range(10)]
PLANNED = {
    "a wait": (
        WaitTimeout(
            "not rolled out", observed=["Progressing=False ProgressDeadlineExceeded", *pod("ImagePullBackOff"), *OLD]
        ),
        [
            "not rolled out",
            "  Progressing=False ProgressDeadlineExceeded",
            "  goapp: waiting ImagePullBackOff Back-off",
        ],
    ),
    "a wait for a pod": (
        WaitTimeout("not there", observed=[*pod("CreateContainerConfigError"), *OLD]),
        ["not there", "  pod a-1: Pending", "  goapp: waiting CreateContainerConfigError Back-off"],
    ),
    "a command": (
        CommandFailed("docker build .", 1, "step 1\nstep 2\nno such file\n"),
        ["exit 1 from: docker build .", "  no such file"],
    ),
    "a message": (KitError("no", hint="do that"), ["no"]),
}


@pytest.mark.parametrize(("error", "shown"), PLANNED.values(), ids=PLANNED)
def test_a_planned_failure_shows_its_cause(
    error: KitError, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line or two, and not every event of the namespace; a next step is not needed."""
    with expect(KitError):
        raise error

    first, *rest = shown
    assert capsys.readouterr().out.splitlines() == [f"{type(error).__name__}, as expected: {first}", *rest]


def test_a_kernel_has_the_kit_before_its_first_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that IPython runs at its start; one that is there stays."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    file = Path(workplace.jupyter()["IPYTHONDIR"]) / "profile_default" / "startup" / "first.py"
    compile(file.read_text(), str(file), "exec")
    file.write_text("kept")
    workplace.jupyter()

    assert file.read_text() == "kept"
