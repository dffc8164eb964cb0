"""Go cells for real: in a kernel, with Go's own tools."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from kitlib.errors import GoFailed
from kitlib.golang import ask, serving
from kitlib.golang.magics import run_cell
from kitlib.golang.workspace import Module
from kitlib.measure.golang import gotools

SECONDS = 120


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    return Module.open("chapter")


@pytest.fixture
def kernel(module: Module) -> Iterator[tuple[Any, Any]]:
    """A kernel as JupyterLab starts it, with the magics loaded."""
    manager = KernelManager()
    manager.start_kernel(env={**os.environ, "KIT_HOME": str(module.folder)})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=SECONDS)
    client.execute_interactive("%load_ext kitlib.golang", timeout=SECONDS, output_hook=lambda _: None)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


ENDLESS = {
    "busy": "func main() {\n\tprintln(os.Getpid())\n\tfor {\n\t}\n}\n",
    "blocked": "func main() {\n\tprintln(os.Getpid())\n\tgo time.Sleep(time.Hour)\n\tselect {}\n}\n",
    "deaf": "func main() {\n\tsignal.Ignore(os.Interrupt)\n\tprintln(os.Getpid())\n\ttime.Sleep(time.Hour)\n}\n",
}
IMPORTS = {"busy": "os", "blocked": "os,time", "deaf": "os,os/signal,time"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ENDLESS)
def test_an_interrupted_cell_leaves_no_process(kernel: tuple[Any, Any], kind: str) -> None:
    """A program that never ends runs until the cell is interrupted; then the cell has failed, and the program is gone."""
    manager, client = kernel
    pids: list[int] = []

    def interrupt(message: Any) -> None:
        if message["msg_type"] == "stream" and (found := re.match(r"\d+", message["content"]["text"])):
            pids.append(int(found[0]))
            os.kill(pids[0], 0)  # it is there
            manager.interrupt_kernel()

    code = f"%%go endless --import {IMPORTS[kind]}\n{ENDLESS[kind]}"
    reply = client.execute_interactive(code, timeout=SECONDS, output_hook=interrupt)

    assert reply["content"]["ename"] == "KeyboardInterrupt"
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.timeout(300)
def test_an_error_is_short_and_points_into_the_cell(kernel: tuple[Any, Any]) -> None:
    """What a learner sees of a compile error: its line as the notebook numbers it, quoted, with a caret, and no traceback."""
    _, client = kernel
    code = '%%go mistaken --import fmt\nfunc main() {\n\tfmt.Println(greting)\n\tfmt.Println("x")\n}\n'
    reply = client.execute_interactive(code, timeout=SECONDS, output_hook=lambda _: None)

    assert reply["content"]["ename"] == "GoFailed"
    assert reply["content"]["traceback"] == [
        "GoFailed: mistaken does not compile",
        "  line 3: undefined: greting",
        "          fmt.Println(greting)",
        "                      ^",
    ]


def test_a_cell_is_checked_and_run(module: Module, capsys: pytest.CaptureFixture[str]) -> None:
    """Layout, likely mistake, output: in this order, each once."""
    run_cell(module, "careless --import fmt", 'func main() {\n  fmt.Printf("%d items\\n", "three")\n}\n')

    assert capsys.readouterr().out.splitlines() == [
        "gofmt writes it so:",
        "line 3",
        '  -   fmt.Printf("%d items\\n", "three")',
        '  + \tfmt.Printf("%d items\\n", "three")',
        'line 3: fmt.Printf format %d has arg "three" of wrong type string',
        '      fmt.Printf("%d items\\n", "three")',
        "                  ^",
        "%!d(string=three) items",
    ]


def test_a_program_that_fails_says_where(module: Module) -> None:
    """A panic ends the cell with the line that it came from."""
    with pytest.raises(GoFailed) as caught:
        run_cell(module, "crash", "func main() {\n\tvar m map[string]int\n\tm[`a`] = 1\n}\n")

    assert caught.value.message == "crash ended with exit code 2"
    assert caught.value.observed[0] == "line 4: panic: assignment to entry in nil map"


def test_tests_and_files(module: Module, capsys: pytest.CaptureFixture[str]) -> None:
    """A file is compiled only; the package's tests see it, and a failing one fails the cell."""
    run_cell(module, "words/words.go", "package main\n\nfunc one() int { return 1 }\n")
    passes = "func TestOne(t *testing.T) {\n\tif one() != 1 {\n\t\tt.Fail()\n\t}\n}\n"
    run_cell(module, "words --test --import testing", passes)
    with pytest.raises(GoFailed):
        run_cell(module, "words --test --import testing", passes.replace("!=", "=="))
    said = capsys.readouterr().out

    assert said.startswith("words/words.go compiles\n")
    assert "--- PASS: TestOne" in said
    assert "--- FAIL: TestOne" in said


def test_a_failure_that_was_announced(module: Module, capsys: pytest.CaptureFixture[str]) -> None:
    """--fails goes on after a failure, and does not let a success pass for one."""
    run_cell(module, "empty --fails", "func main() {\n\tmissing()\n}\n")
    with pytest.raises(AssertionError, match="nothing failed"):
        run_cell(module, "empty --fails", "func main() {}\n")

    assert "as expected: empty does not compile" in capsys.readouterr().out


def test_a_service_is_asked_and_ended(module: Module) -> None:
    """It answers while the block lasts, and no process listens after it."""
    run_cell(
        module,
        "shop/main.go --import fmt,net,net/http",
        'func main() {\n\tlistener, _ := net.Listen("tcp", "127.0.0.1:0")\n\tfmt.Printf("http://%s\\n", listener.Addr())\n'
        "\thttp.Serve(listener, http.NotFoundHandler())\n}\n",
    )
    with serving(module, "shop") as address:
        answer = ask(address, "/")
    with pytest.raises(GoFailed, match="no answer"):
        ask(address, "/")

    assert (answer.status, answer.type) == (404, "text/plain")


def test_every_planted_mistake_is_reported() -> None:
    """`go vet` writes its findings to stderr: each mistake that it has a check for is found at its line, and no other line is named."""
    found = gotools.seeded()

    assert list(found["vet says"] != "") == list(found["has a check"])
