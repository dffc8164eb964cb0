"""What a container says on its two streams is kept apart: a warning is never parsed as data."""

from collections.abc import Iterator

import pytest

from kitlib.engine import client as engine
from kitlib.engine import commands
from kitlib.engine.client import Engine
from kitlib.supply import builder

WARNS = ["sh", "-c", "echo '[1'; echo 'a warning' >&2; echo ',2]'; exit 3"]


@pytest.fixture(scope="module")
def running() -> Engine:
    return engine.ensure()


@pytest.fixture(scope="module")
def container(running: Engine) -> Iterator[str]:
    """A container that waits."""
    reference = builder.ensure(running, ["debian"])["debian"]
    made = running.client.containers.run(reference, ["sleep", "600"], detach=True)
    yield made.id
    made.remove(force=True, v=True)


def test_a_commands_data_is_its_stdout(running: Engine, container: str) -> None:
    """A command in a container has its exit code, its stdout, and both streams to be shown."""
    ran = commands.run(running, container, WARNS)

    assert (ran.code, ran.data) == (3, "[1\n,2]\n")
    assert sorted(ran.text.splitlines()) == [",2]", "[1", "a warning"]


def test_long_output_arrives_whole(running: Engine, container: str) -> None:
    """Output of many frames is all there."""
    ran = commands.run(running, container, ["seq", "1", "300000"])

    assert ran.data.splitlines() == [str(n) for n in range(1, 300001)]


def test_lines_have_no_warnings(running: Engine, container: str) -> None:
    """The lines of a command in a container are those of its stdout."""
    assert list(commands.lines(running, container, WARNS)) == ["[1", ",2]"]


def test_a_containers_output_is_its_stdout(running: Engine) -> None:
    """A container that ran to its end has its stdout, its stderr, and both to be shown."""
    ended = running.run(builder.ensure(running, ["debian"])["debian"], WARNS)

    assert (ended.exit_code, ended.output, ended.errors) == (3, "[1\n,2]\n", "a warning\n")
    assert "a warning" in ended.said
