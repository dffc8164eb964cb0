"""The one door to subprocesses: what comes back, what is raised, and that nothing outlives the kit."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kitlib.errors import BuildFailed, CommandFailed, SetupError
from kitlib.host import proc
from kitlib.host.stopping import Stopped


def streamed(argv: list[str]) -> None:
    with proc.stream(argv, env={}) as stream:
        stream.read()


def piped(producer: list[str], consumer: list[str], **env: str) -> None:
    proc.pipe(producer, consumer, env=env, error=BuildFailed)


def into_cat(argv: list[str]) -> None:
    piped(argv, ["cat"])


WARNING = "echo '[1'; echo 'go: downloading example.com v1' >&2; echo ',2]'"


def test_a_warning_is_no_part_of_the_data() -> None:
    """run returns stdout alone, whatever a tool writes to stderr in between; on_line sees both."""
    seen: list[str] = []
    printed = proc.run(["sh", "-c", WARNING], on_line=seen.append)

    assert json.loads(printed) == [1, 2]
    assert sorted(seen) == [",2]", "[1", "go: downloading example.com v1"]


def test_a_transcript_has_both_streams() -> None:
    """transcript returns what a person would have seen."""
    said = proc.transcript(["sh", "-c", WARNING])

    assert sorted(said.splitlines()) == [",2]", "[1", "go: downloading example.com v1"]


def test_a_failure_tells_both_streams() -> None:
    """The error of a command has the last lines of both streams."""
    with pytest.raises(CommandFailed) as caught:
        proc.run(["sh", "-c", f"{WARNING}; exit 1"])

    assert set(caught.value.observed) == {"[1", "go: downloading example.com v1", ",2]"}


def test_a_rewritten_line_is_one_line() -> None:
    """Progress by carriage returns is one line, as it was last; the data keep every byte."""
    seen: list[str] = []
    printed = proc.run(["printf", r"10 %%\r20 %%\r30 %%\ndone\r\nlast\rrest"], on_line=seen.append)

    assert seen == ["30 %", "done", "rest"]
    assert printed == "10 %\r20 %\r30 %\ndone\r\nlast\rrest"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("group", [True, False])
def test_the_call_ends_with_the_command(group: bool) -> None:
    """A child that keeps the streams open is not waited for; in a group it is also ended."""
    child = int(proc.run(["sh", "-c", "sleep 60 & echo $!"], group=group))

    if group:
        assert _gone(child)
    else:
        os.kill(child, signal.SIGKILL)


def test_environment_is_added(tmp_path: Path) -> None:
    """A command sees the process' own environment and the added variables, and runs in the given folder."""
    printed = proc.run(
        ["sh", "-c", 'echo "$ADDED"; pwd -P; echo "${PATH:+inherited}"'], env={"ADDED": "x"}, cwd=tmp_path
    )

    assert printed.splitlines() == ["x", str(tmp_path.resolve()), "inherited"]


@pytest.mark.parametrize(("given", "read"), [("words\n", "words\n"), (None, "")])
def test_stdin_is_what_is_given(given: str | None, read: str) -> None:
    """A command reads the text it is given, and nothing, at once, when there is none."""
    assert proc.run(["cat"], stdin=given) == read


@pytest.mark.timeout(30)
@pytest.mark.parametrize("command", ["cat", "true"])
def test_large_stdin_does_not_hang(command: str) -> None:
    """A text larger than a pipe holds is passed on, whether the command echoes it or never reads it."""
    given = "x" * 1_000_000

    assert proc.run([command], stdin=given) == (given if command == "cat" else "")


def test_failing_command_carries_its_evidence() -> None:
    """A non-zero exit raises CommandFailed with a command that a shell takes, its code, and its last lines."""
    script = "for i in $(seq 1 30); do echo line $i; done; exit 3"
    with pytest.raises(CommandFailed) as caught:
        proc.run(["sh", "-c", script, "a b"])
    pasted = subprocess.run(["sh", "-c", caught.value.command], stdout=subprocess.PIPE, text=True, check=False)

    assert caught.value.returncode == 3
    assert caught.value.observed == tuple(f"line {i}" for i in range(11, 31))
    assert (pasted.returncode, pasted.stdout) == (3, caught.value.output)


def test_failing_command_is_raised_as_the_caller_says() -> None:
    """The caller names the error, for instance BuildFailed; with check=False there is none."""
    with pytest.raises(BuildFailed):
        proc.run(["false"], error=BuildFailed)

    assert proc.run(["sh", "-c", "echo said; exit 1"], check=False) == "said\n"


@pytest.mark.parametrize("call", [proc.run, streamed, into_cat])
def test_missing_program_is_a_lack_of_the_machine(call: Callable[[list[str]], object]) -> None:
    """A program that is not installed raises SetupError with its name and a next step, whichever way it is run."""
    with pytest.raises(SetupError) as caught:
        call(["no-such-program", "argument"])

    assert str(caught.value) == "no-such-program is not installed\nnext: run ./kit doctor"


def test_missing_consumer_is_a_lack_of_the_machine() -> None:
    """The right-hand side of a pipe that is not installed raises SetupError with its name."""
    with pytest.raises(SetupError, match=r"^no-such-program is not installed"):
        piped(["echo"], ["no-such-program"])


def test_missing_folder_is_not_a_missing_program(tmp_path: Path) -> None:
    """A working folder that is not there is not reported as a program that is not installed."""
    with pytest.raises(FileNotFoundError, match="not-there"):
        proc.run(["true"], cwd=tmp_path / "not-there")


def test_lines_are_seen_as_they_come() -> None:
    """on_line sees each line without its end; the whole output is returned all the same."""
    seen: list[str] = []
    printed = proc.run(["printf", r"one\n two  \nno end"], on_line=seen.append)

    assert seen == ["one", " two", "no end"]
    assert printed == "one\n two  \nno end"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("on_line", [None, lambda _: None], ids=["collected", "line by line"])
def test_timeout_ends_the_command(on_line: None) -> None:
    """A command that is not done in time is killed, and the error says so after what it had printed."""
    with pytest.raises(CommandFailed) as caught:
        proc.run(["sh", "-c", "echo begun; exec sleep 60"], timeout=0.5, on_line=on_line)

    assert caught.value.observed == ("begun", "no end after 0.5 s")
    assert caught.value.returncode == -9


def test_timeout_does_not_touch_a_command_that_ends() -> None:
    """A command that ends in time is as it would be without a timeout, and leaves no timer behind."""
    assert proc.run(["echo", "done"], timeout=3600) == "done\n"


def test_pipe_connects_two_commands(tmp_path: Path) -> None:
    """pipe gives the consumer what the producer writes, and both get the environment."""
    piped(["sh", "-c", 'echo "$WORD"'], ["sh", "-c", 'cat > "$OUT"'], WORD="through", OUT=str(tmp_path / "out"))

    assert (tmp_path / "out").read_text() == "through\n"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("producer", "consumer", "code", "observed"),
    [
        ("echo why >&2; exit 4", "cat >/dev/null", 4, "why"),
        ("echo unread", "cat >/dev/null; echo why; exit 5", 5, "why"),
        ("while echo much; do :; done 2>/dev/null", "echo why >&2; exit 6", 6, "why"),
    ],
    ids=["producer", "consumer", "consumer that does not read"],
)
def test_pipe_fails_when_either_side_does(producer: str, consumer: str, code: int, observed: str) -> None:
    """Either side's failure raises, with that side's exit code and words and the whole command."""
    with pytest.raises(BuildFailed) as caught:
        piped(["sh", "-c", producer], ["sh", "-c", consumer])

    assert caught.value.returncode == code
    assert caught.value.observed == (observed,)
    assert caught.value.command == f"sh -c '{producer}' | sh -c '{consumer}'"


def test_stream_yields_what_comes() -> None:
    """stream gives the bytes of stdout; a reader may stop early."""
    with proc.stream(["sh", "-c", "echo one; seq 1 100000"], env={}) as stream:
        first = stream.readline()

    assert first == b"one\n"


def test_stream_of_a_failing_command_raises() -> None:
    """A command that fails after its output raises with its exit code and what it wrote to stderr."""
    with (
        pytest.raises(CommandFailed) as caught,
        proc.stream(["sh", "-c", "echo data; echo why >&2; exit 7"], env={}) as stream,
    ):
        assert stream.read() == b"data\n"

    assert caught.value.returncode == 7
    assert caught.value.observed == ("why",)


if sys.platform == "linux":

    def test_command_dies_with_the_kit() -> None:
        """A command that runs when its parent is killed with SIGKILL does not go on without it."""
        script = "from kitlib.host import proc; proc.run(['sh', '-c', 'echo $$; exec sleep 60'], on_line=lambda l: print(l, flush=True))"
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout
            child = os.pidfd_open(int(parent.stdout.readline()))
            ends = select.poll()
            ends.register(child, select.POLLIN)
            alive = ends.poll(0)
            parent.kill()
            died = ends.poll(20_000)
            os.close(child)

        assert alive == []
        assert died == [(child, select.POLLIN)]


GRANDCHILD = "sh -c 'trap \"\" TERM INT; echo $$; while :; do sleep 1; done' & wait"


def _gone(pid: int) -> bool:
    """Whether the process has ended, given a moment for the system to clear it away."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return not Path("/proc/self").exists() or not Path(f"/proc/{pid}").exists()
        time.sleep(0.05)
    return False


@pytest.mark.timeout(30)
@pytest.mark.parametrize("ending", [KeyboardInterrupt, ValueError])
def test_a_group_ends_with_the_call(ending: type[BaseException]) -> None:
    """What ends the call early ends all that the command has started, also what does not listen to signals."""
    started: list[int] = []

    def stop(line: str) -> None:
        started.append(int(line))
        raise ending

    with pytest.raises(ending):
        proc.run(["sh", "-c", GRANDCHILD], on_line=stop, group=True)

    assert _gone(started[0])


@pytest.mark.timeout(30)
def test_a_request_to_end_is_passed_on() -> None:
    """SIGTERM comes to this process alone: the command is asked to end as well, and is not waited for to its own end."""

    def stop(_: str) -> None:
        raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        proc.run(["sh", "-c", "echo begun; exec sleep 600"], on_line=stop)


@pytest.mark.timeout(30)
def test_beside_ends_with_the_block() -> None:
    """A command that runs beside a block is there in it, prints, and is gone after it, with all that it started."""
    with proc.background(["sh", "-c", GRANDCHILD]) as running:
        child = int(next(iter(running.stdout)))
        os.kill(child, 0)

    assert _gone(child)


def test_what_runs_beside_gives_data_and_errors_apart() -> None:
    """A warning does not come before the first line of data, and can be asked for."""
    with proc.background(["sh", "-c", "echo careful >&2; echo 127.0.0.1:80"]) as running:
        lines = list(running.stdout)

    assert lines == ["127.0.0.1:80\n"]


def test_what_runs_beside_tells_its_errors() -> None:
    """errors() has what was written to stderr so far."""
    with proc.background(["sh", "-c", "echo careful >&2; echo there; exec sleep 60"]) as running:
        next(iter(running.stdout))

        assert running.errors() == ["careful"]
