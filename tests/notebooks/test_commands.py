"""`!command` and the learner's files in a real kernel."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from kitlib import paths
from kitlib.kube import kustomize

SECONDS = 60
CHAPTER = "3.2-deployment"

Ask = Callable[[str], tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A kernel as papermill starts it, in the folder of the notebooks, with the kit imported."""
    home = tmp_path_factory.mktemp("home")
    manager = KernelManager()
    own = {"KIT_HOME": str(home), "KIT_WORK": str(home / "work"), "KIT_RESULTS": "../results-of-tests"}
    manager.start_kernel(env={**os.environ, **own}, cwd=str(paths.ROOT / "notebooks"))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=SECONDS)
    client.execute_interactive("import kitlib as kit", timeout=SECONDS, output_hook=lambda _: None)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def ask(kernel: tuple[Any, Any]) -> Ask:
    """Run a cell; its reply, and what it printed."""

    def run(code: str) -> tuple[dict[str, Any], str]:
        said: list[str] = []

        def hear(message: Any) -> None:
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])

        reply = kernel[1].execute_interactive(code, timeout=SECONDS, output_hook=hear)
        return reply["content"], "".join(said)

    return run


def test_a_failed_command_fails_its_cell(ask: Ask) -> None:
    """Its own words are shown, the line after it does not run, and the error is one line."""
    reply, said = ask("!echo its words; exit 3\nprint('went on')")

    assert reply["ename"] == "CommandFailed"
    assert reply["traceback"] == [
        "CommandFailed: exit 3 from: echo its words; exit 3",
        "in line 1 of the cell: !echo its words; exit 3",
    ]
    assert said.splitlines() == ["its words"]


def test_a_command_that_is_not_there(ask: Ask) -> None:
    """The error says what to do next."""
    reply, _ = ask("!kubctl get pods")

    assert reply["traceback"][1] == "next: is the name right? ./kit doctor shows which tools are there"


def test_what_succeeds_or_may_fail_goes_on(ask: Ask) -> None:
    """Names of the cell and of a function are filled in once; a captured command has no error; _exit_code is as IPython has it."""
    reply, said = ask(
        "word = '{nothing}'\ndef f(local):\n    !echo $local {word}\nf('here')\n!false || true\nx = !exit 5\n"
        "print(_exit_code)\nwith kit.expect(kit.errors.CommandFailed):\n    !exit 6\nprint(_exit_code)"
    )

    assert reply["status"] == "ok"
    assert said.splitlines() == [
        "here {nothing}",
        "0",
        "CommandFailed, as expected: exit 6 from: exit 6",
        "6",
    ]


def test_a_planned_failure_must_happen(ask: Ask) -> None:
    """A command that succeeds where a failure is announced fails the cell."""
    reply, _ = ask("with kit.expect(kit.errors.CommandFailed):\n    !true")

    assert reply["ename"] == "AssertionError"


def test_secrets_are_masked(ask: Ask) -> None:
    """In what the command prints, in the error, and in the expected error."""
    address = "postgres://app:hunter2@db:5432/shop"
    reply, said = ask(f"!echo {address}; false")
    _, expected = ask(f"with kit.expect(kit.errors.CommandFailed):\n    !false {address}")

    assert "hunter2" not in str(reply) + said + expected
    assert said.startswith("postgres://app:[masked]@db")


def test_a_command_in_the_background_is_as_before(ask: Ask) -> None:
    """IPython refuses it in its own words."""
    reply, _ = ask("!sleep 1 &")

    assert (reply["ename"], reply["evalue"]) == ("OSError", "Background processes not supported.")


@pytest.mark.parametrize(
    "command", ["sleep 60", "trap '' INT; sleep 60", "trap 'exit 1' INT; while :; do sleep .1; done"]
)
def test_an_interrupt_stays_one(kernel: tuple[Any, Any], command: str) -> None:
    """Whatever status the interrupted command ends with, the cell is interrupted, and the next line does not run."""
    manager, client = kernel
    said: list[str] = []

    def hear(message: Any) -> None:
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])
            manager.interrupt_kernel()

    reply = client.execute_interactive(f'!echo begun; {command}\nprint("went on")', timeout=SECONDS, output_hook=hear)

    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert "went on" not in "".join(said)


def test_files_are_found_by_commands(ask: Ask) -> None:
    """`kit.files` makes the chapter's folder the working folder; a relative KIT_RESULTS stays where it was."""
    reply, said = ask(
        f"files = kit.files({CHAPTER!r})\n!head -c 5 deployment.yaml >/dev/null && basename $PWD\n"
        "import os\nprint(os.environ['KIT_RESULTS'])"
    )

    assert reply["status"] == "ok", reply
    assert [Path(line).name for line in said.splitlines()] == [CHAPTER, "results-of-tests"]
    assert said.splitlines()[1].startswith("/")


@pytest.fixture(scope="module")
def vs_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A kernel as VS Code starts it: by ipykernel of the virtual environment, with the user's environment and no server.

    It names the notebook by a variable, before the first cell.
    """
    home = tmp_path_factory.mktemp("home")
    own = {
        "KIT_HOME": str(home / "kit"),
        "KUBECONFIG": "/other",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
    }
    manager = KernelManager()
    manager.start_kernel(env=own, cwd=str(paths.ROOT / "notebooks"))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=SECONDS)
    file = paths.ROOT / "notebooks" / "3.2-deployment.ipynb"
    client.execute(f"__vsc_ipynb_file__ = {str(file)!r}", silent=True)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_vs_code_has_the_kits_commands_and_its_buttons(vs_code: Any) -> None:
    """`!kubectl` is the kit's and speaks to the kit's cluster, a failed command fails its cell, and an exercise has its buttons."""
    seen: list[Any] = []

    def run(code: str) -> Any:
        seen.clear()
        return vs_code.execute_interactive(code, timeout=SECONDS, output_hook=seen.append)["content"]

    def said() -> str:
        return "".join(message["content"]["text"] for message in seen if message["msg_type"] == "stream")

    assert run("import kitlib as kit")["status"] == "ok"
    run('!echo "$(command -v kubectl)|$KUBECONFIG"')
    program, config = said().strip().split("|")
    assert Path(program) == kustomize.KUBECTL
    assert "/kit/clusters/" in config
    assert run("!kubectl --no-such-flag")["ename"] == "CommandFailed"
    assert run("kit.exercise('1-go-basics/first').panel()")["status"] == "ok"
    views = [key for message in seen for key in message["content"].get("data", {})]
    assert "application/vnd.jupyter.widget-view+json" in views
