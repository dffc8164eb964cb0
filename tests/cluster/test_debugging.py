"""Debugging against the real thing: Delve in a container, under Compose, and beside a pod."""

from collections.abc import Iterator

import pytest

from kitlib import debug
from kitlib.cluster.bound import Cluster
from kitlib.debug import pod as pods
from kitlib.engine.client import Engine
from kitlib.errors import DebugError, UsageError
from kitlib.measure.development import debugging, livereload, privileges
from kitlib.workloads import app, builds, compose

MADE = "test-debugging"
FILE = 'services:\n  api:\n    image: ${IMAGE}\n    ports: ["127.0.0.1::8080", "127.0.0.1::40000"]\n'


@pytest.fixture
def made(cluster: Cluster) -> Iterator[Cluster]:
    yield cluster
    builds.remove(cluster.engine, MADE)


def _left(engine: Engine, made: str) -> list[int]:
    mine = {"label": f"{builds.LABEL}={made}"}
    return [len(engine.client.containers.list(all=True, filters=mine)), len(engine.client.networks.list(filters=mine))]


def test_a_session_from_beginning_to_end(made: Cluster) -> None:
    """It stops at the line, sees arguments and callers, steps into a call, and the request is answered when it leaves."""
    with privileges.target(made, MADE, "exec", "least") as (delve, goapp):
        with debug.attach(delve) as session, debug.ask(goapp, "/health"):
            line = session.breakpoint(debugging.FILE, debugging.LINE)
            with debug.ask(goapp, "/items/2") as asked:
                stopped = session.wait()
                inside = session.step("stepIn")
                session.detach()
                answer = asked.answer()
        with debug.ask(goapp, "/items/1") as asked:
            later = asked.answer()

    seen = stopped.variable("id")
    assert (stopped.line, stopped.frames[0].file) == (line, debugging.FILE)
    assert seen is not None
    assert seen.value == "2"
    assert inside.frames[0].name == "items.(*Memory).Get"
    assert (answer[0], later[0]) == (200, 200)


def test_refusals_are_in_delves_words(made: Cluster) -> None:
    """A line without code, an expression that does not exist, a port where nothing listens."""
    with privileges.target(made, MADE, "exec", "least") as (delve, goapp), debug.attach(delve) as session:
        with pytest.raises(DebugError, match="could not find"):
            session.breakpoint("internal/catalog/gone.go", 1)
        session.breakpoint(debugging.FILE, debugging.LINE)
        with debug.ask(goapp, "/items/2"):
            session.wait()
            with pytest.raises(DebugError, match="could not find symbol value for nothing"):
                session.evaluate("nothing")
    with pytest.raises(DebugError, match="nothing listens"):
        debug.attach(delve)


def test_conditions_and_logpoints(made: Cluster) -> None:
    """A condition lets other requests pass; a logpoint stops none, and writes its line."""
    with privileges.target(made, MADE, "exec", "least") as (delve, goapp), debug.attach(delve) as session:
        session.breakpoint(debugging.FILE, debugging.LINE, log="item {id}")
        with debug.ask(goapp, "/items/3") as asked:
            logged = asked.answer()[0]
        session.breakpoint(debugging.FILE, debugging.LINE, condition="id == 2")
        with debug.ask(goapp, "/items/1") as asked:
            passed = asked.answer()[0]
        with debug.ask(goapp, "/items/2"):
            stopped = session.wait()

    assert (logged, passed, stopped.reason) == (200, 200, "breakpoint")
    assert any("item 3" in line for line in session.said())


def test_privileges_decide(made: Cluster) -> None:
    """The least ones are enough, ptrace itself is not to be done without; no container is left."""
    found = [privileges.allowed(made, MADE, "exec", privilege) for privilege in ("least", "without ptrace")]

    assert found == [1.0, 0.0]
    assert _left(made.engine, MADE) == [0, 0]


def test_an_interrupt_leaves_nothing(made: Cluster) -> None:
    """Neither a container nor a listening port is there when the block was left by an interrupt."""
    ports: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        _interrupted(made, ports)
    for port in ports:
        with pytest.raises(DebugError, match="nothing listens"):
            debug.ask(port, "/health")

    assert len(ports) == 2
    assert _left(made.engine, MADE) == [0, 0]


def _interrupted(made: Cluster, ports: list[int]) -> None:
    with privileges.target(made, MADE, "attach", "least") as found, debug.attach(found[0]) as session:
        ports += found
        session.breakpoint(debugging.FILE, debugging.LINE)
        with debug.ask(found[1], "/items/2"):
            session.wait()
            raise KeyboardInterrupt


def test_images_decide_under_compose(made: Cluster) -> None:
    """The guide's image does not start, with dlv its variables are gone, the debug target does it all; nothing is left of any."""
    reached = {}
    for name in ("guide", "guide, dlv added", "debug target"):
        reference = debugging.image(made.engine, MADE, name)
        entrypoint = (
            f"    entrypoint: [dlv, exec, {', '.join(map(repr, debugging.SERVE))}, --continue, {debugging.PROGRAM}]\n"
        )
        project = compose.project(made, MADE, FILE + entrypoint, IMAGE=reference)
        reached[name] = {step for step, there in debugging.whole(project).items() if there}

    assert reached["guide"] == set()
    assert set(debugging.STEPS) - reached["guide, dlv added"] == {"reads"}
    assert reached["debug target"] == {*debugging.STEPS, "works"}
    assert _left(made.engine, MADE) == [0, 0]


def test_a_project_carries_the_mark(made: Cluster) -> None:
    """Containers and the network have the owner's labels, and ports are on loopback alone."""
    project = compose.project(made, MADE, FILE, IMAGE=debugging.image(made.engine, MADE, "debug target"))
    project.up()
    container = project.container("api")
    bound = {b["HostIp"] for ports in container.attrs["NetworkSettings"]["Ports"].values() for b in ports}
    (network,) = made.engine.client.networks.list(filters={"label": f"com.docker.compose.project={project.name}"})

    assert bound == {"127.0.0.1"}
    assert made.identity.labels.items() <= container.labels.items()
    assert made.identity.labels.items() <= network.attrs["Labels"].items()


def test_open_ports_are_refused(cluster: Cluster) -> None:
    """A port for every address of the machine is an error before anything runs."""
    with pytest.raises(UsageError, match="every address"):
        compose.project(cluster, MADE, FILE.replace("127.0.0.1::40000", "40000:40000"), IMAGE="x")


def test_a_pod_is_debugged_under_restricted(cluster: Cluster) -> None:
    """An ephemeral container stops a program in an image without a shell, twice, and the pod serves afterwards, not restarted."""
    namespace = debugging.restricted_pod(cluster, MADE, "goapp")
    lines = []
    for _ in range(2):
        with pods.attached(namespace, "goapp", "goapp") as session:
            session.breakpoint(debugging.FILE, debugging.LINE)
            with pods.asked(namespace, "goapp", app.PORT, "/items/2"):
                lines.append(session.wait().frames[0].name)
    answer = app.ask(namespace, "goapp", "/items/1")
    pod = cluster.kube.get("Pod", "goapp", namespace.name) or {}
    namespace.undo()

    assert lines == ["catalog.getItem.func1"] * 2
    assert answer.status == 200
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_an_edit_arrives(cluster: Cluster) -> None:
    """What the source says after the edit is what is served; the project, its image and the copy are gone then."""
    with livereload.served(cluster, MADE) as project:
        before = livereload.name_of(project)
        livereload.edit(project, "Whale, paper")
        after = livereload.name_of(project)
        copy = project.folder / "src"

    assert (before, after) == (livereload.BEFORE, "Whale, paper")
    assert not copy.exists()
    assert _left(cluster.engine, MADE) == [0, 0]
