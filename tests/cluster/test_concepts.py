"""Images and containers of 2.1, measured where the answer is known from elsewhere."""

from collections.abc import Iterator

import pytest

from kitlib.cluster.bound import Cluster
from kitlib.engine.client import Engine
from kitlib.errors import EngineError
from kitlib.measure.images import apicalls, caching, copyup, firstanswer, isolation, layers
from kitlib.views import image_layers
from kitlib.workloads import builds

MADE = "test-concepts"
DOCKERFILE = "ARG DEBIAN\nFROM ${DEBIAN}\nARG FIRST=none\nRUN head -c 9 /dev/urandom > /made\nCOPY index.html /srv/\n"
FILES = {"index.html": "one\n"}


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[Engine]:
    yield cluster.engine
    builds.remove(cluster.engine, MADE)


def test_remove_takes_what_was_made_and_nothing_else(engine: Engine) -> None:
    """Also an image whose tag has moved on, and a running container; what was made under another name stays."""
    other = builds.build(engine, "FROM scratch\nCOPY index.html /\n", "test-other:1", files=FILES)
    reference = builds.build(engine, DOCKERFILE, f"{MADE}:1", files=FILES)
    untagged = str((engine.inspect(reference) or {})["Id"])
    builds.build(engine, DOCKERFILE, f"{MADE}:1", files={"index.html": "two\n"})
    container = builds.start(engine, MADE, reference, ["sleep", "60"])
    builds.remove(engine, MADE)
    left = [engine.inspect(name) is not None for name in (reference, untagged, other)]
    builds.remove(engine, "test-other")

    assert left == [False, False, True]
    assert container.id not in [c.id for c in engine.client.containers.list(all=True)]


def test_only_changes_to_files_make_layers(engine: Engine) -> None:
    """RUN adds one, ENV none, and each layer of both images is in the mount of a container."""
    assert layers.adds(engine, MADE, "RUN mkdir /srv/run") == {"layers": 1, "unmounted": 0}
    assert layers.adds(engine, MADE, "ENV A=b") == {"layers": 0, "unmounted": 0}


def test_the_picture_agrees_with_the_engine(engine: Engine) -> None:
    """Digests and sizes of the steps are the image's; two images with another page share all but one layer."""
    references = {
        page: builds.build(engine, DOCKERFILE, f"{MADE}:{page}", files={"index.html": page}) for page in ("a", "b")
    }
    container = builds.start(engine, MADE, references["a"], ["sh", "-c", "printf 123 > /new; sleep 60"])
    drawn = image_layers.draw(engine, references, container)
    first = drawn.columns[0]

    assert [step.layer for step in first.steps if step.layer] == builds.layers(engine, references["a"])
    assert first.size == engine.size(references["a"])
    assert [drawn.shared(step) for step in first.steps if step.layer] == ["shared by 2", "shared by 2", "only here"]
    assert (first.written is not None, drawn.columns[1].written) == (True, None)


def test_the_cache_is_a_chain(engine: Engine) -> None:
    """Nothing changed: both layers are used again; the last one changed: one is; the first: none."""
    reused = {change: caching.rebuild(engine, MADE, DOCKERFILE, change, FILES)["reused"] for change in caching.CHANGES}

    assert reused == {"cold": 0, "nothing": 2, "last layer": 1, "first layer": 0}


def test_a_write_copies_the_file_up(engine: Engine) -> None:
    """Reading writes nothing, a byte appended costs the whole file, and a deletion no bytes; a command that fails is named."""
    reference = builds.build(engine, "ARG DEBIAN\nFROM ${DEBIAN}\nRUN head -c 5000 /dev/zero > /file\n", f"{MADE}:file")
    commands = {"read": "cat /file > /dev/null", "append": "printf x >> /file", "delete": "rm /file"}
    found = copyup.table(engine, MADE, reference, commands).set_index("command")

    assert list(found["bytes written"]) == [0, 5001, 0]
    assert list(found["what changed"]) == ["", "/file changed", "/file deleted"]
    with pytest.raises(EngineError, match="returned 1"):
        copyup.table(engine, MADE, reference, {"wrong": "exit 1"})


def test_calls_are_recorded_until_the_block_ends(engine: Engine) -> None:
    """A container's life has one row per request; later requests are not in it."""
    alpine = builds.base(engine, "alpine")
    with apicalls.recorded(engine) as calls:
        engine.run(alpine, ["true"])
    methods = [call["method"] for call in calls]
    engine.info()

    assert [call["method"] for call in calls] == methods
    assert (methods[0], methods[-1]) == ("POST", "DELETE")
    assert calls[0]["status"] == 201


def test_a_container_is_a_process_under_limits(engine: Engine) -> None:
    """It is number 1 in namespaces of its own, and its limits are what was asked for; or the tables say why this cannot be seen."""
    box = builds.start(engine, MADE, builds.base(engine, "alpine"), ["sleep", "60"], mem_limit="64m", pids_limit=32)
    tables = [look(box) for look in (isolation.processes, isolation.namespaces, isolation.limits)]
    if reason := isolation.hidden(box):
        assert [list(table["not measurable here"]) for table in tables] == [[reason]] * 3
        return
    processes, namespaces, limits = tables
    own = namespaces.set_index("namespace")["its own"]

    assert processes["in the container"].iloc[0] == "1"
    assert bool(own["pid"] and own["net"] and own["mnt"])
    assert {str(64 << 20), "32"} <= set(limits["the kernel has"])


def test_both_ways_of_starting_answer(engine: Engine) -> None:
    """The same program answers as a process and in a container, takes memory in both, and is gone afterwards."""
    with firstanswer.program(engine, MADE) as measure:
        found = {kind: measure(kind) for kind in firstanswer.KINDS}

    assert all(values["seconds"] > 0 and values["memory"] > 1e6 for values in found.values())
    assert found["container"]["create"] < found["container"]["seconds"]
    assert not engine.client.containers.list(all=True, filters={"label": f"{builds.LABEL}={MADE}"})
