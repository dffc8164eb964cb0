"""Images of 2.2, where the answer is known from elsewhere."""

from collections.abc import Iterator

import pytest

from kitlib.cluster.bound import Cluster
from kitlib.engine.client import Engine
from kitlib.measure.images import context, health, linkage, platforms, reproduce, traces, users
from kitlib.workloads import builds

MADE = "test-dockerfile"
FROM = "ARG ALPINE\nFROM ${ALPINE}\n"
PLANTED = "planted-4821"
SCRATCH = 'FROM scratch\nCOPY --chmod=755 program /program\nENTRYPOINT ["/program"]\n'


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[Engine]:
    yield cluster.engine
    builds.remove(cluster.engine, MADE)


@pytest.mark.parametrize(
    ("text", "given", "found"),
    [
        ("ARG KEY\nRUN echo $KEY | sha256sum > /print", {"args": {"KEY": PLANTED}}, {"configuration"}),
        ("COPY key /key\nRUN rm /key", {"files": {"key": PLANTED}}, {"layer"}),
        ("RUN --mount=type=secret,id=key test -s /run/secrets/key", {"secrets": {"key": PLANTED}}, set()),
    ],
    ids=["argument", "removed file", "mount"],
)
def test_a_secret_is_found_where_it_stays(
    engine: Engine, text: str, given: dict[str, dict[str, str]], found: set[str]
) -> None:
    """In the configuration, in a layer below the one that hides it, or, from a mount that the instruction could read, nowhere."""
    reference = builds.build(engine, f"{FROM}{text}\n", f"{MADE}:secret", **given)  # type: ignore[arg-type]

    assert set(traces.traces(engine, reference, PLANTED)) == found


def test_a_file_is_taken_as_it_is(engine: Engine) -> None:
    """Bytes for bytes, out of an image in which nothing could be started."""
    reference = builds.build(engine, SCRATCH, f"{MADE}:take", files={"program": "no program\n"})

    assert builds.take(engine, MADE, reference, "/program") == b"no program\n"


def test_without_cgo_a_program_starts_anywhere(engine: Engine) -> None:
    """It names no loader and no library, and starts on all bases; with cgo it starts on the one that has both."""
    off, on = (linkage.linkage(engine, MADE, cgo) for cgo in ("off", "on"))

    assert off == {"interpreter": 0, "libraries": 0, **dict.fromkeys(linkage.ON, 1)}
    assert {name for name in linkage.ON if on[name]} == {"debian"}
    assert on["interpreter"] == 1


def test_what_is_ignored_is_nowhere(engine: Engine) -> None:
    """With a .dockerignore the secret is in no image and no stage; without, it is in both, and not in what was copied out."""
    with_it, without = (context.leaks(engine, MADE, dockerignore) for dockerignore in ("with", "without"))

    assert {with_it[name] for name in ("image", "final", "cached")} == {0}
    assert [without[name] > 0 for name in ("image", "final", "cached")] == [True, False, True]
    assert without["copied"] - with_it["copied"] > 5_000_000


def test_times_are_all_that_differs(engine: Engine) -> None:
    """A file's time makes another layer of the same content; with all times set, even the image is the same."""
    text = "ARG ALPINE\nFROM ${ALPINE} AS build\nARG NONCE\nRUN echo same > /made %s\nFROM scratch AS last\nCOPY --from=build /made /made\n"
    moved = reproduce.twice(engine, MADE, text % "&& touch -d @$(tr -dc 1-9 < /dev/urandom | head -c 9) /made", {})
    fixed = reproduce.twice(engine, MADE, text % "&& touch -d @0 /made", {}, SOURCE_DATE_EPOCH="0")

    assert (moved["same layer"], moved["same image"]) == (False, False)
    assert (fixed["same layer"], fixed["same image"]) == (True, True)


def test_root_can_and_others_cannot(cluster: Cluster, engine: Engine) -> None:
    """Root can do all that is tried; the other user only what every user can; and a restricted namespace takes the latter's pod alone."""
    namespace = cluster.namespace(MADE, fresh=True)
    users.restrict(namespace)
    goapp = cluster.image("goapp-distroless")
    found = {user: users.abilities(engine, MADE, user) for user in users.USERS}
    admitted = {user: users.admission(namespace, user, goapp)["runs"] for user in users.USERS}
    namespace.undo()

    assert set(found["root"].values()) == {1}
    assert {name for name, value in found["non-root"].items() if value} <= {"binds"}
    assert admitted == {"root": 0, "non-root": 1}


@pytest.mark.parametrize(("check", "word"), [("true", "healthy"), ("false", "unhealthy")])
def test_the_engine_minds_a_check(engine: Engine, check: str, word: str) -> None:
    """The engine's first event about a container's health is the outcome of its check."""
    reference = health.build(engine, MADE, check)

    assert health.status(engine, MADE, reference)[0] == word


def test_a_container_that_ends_is_not_waited_for(engine: Engine) -> None:
    """Its end is reported, also when it came before the call."""
    reference = builds.build(engine, f'{FROM}HEALTHCHECK CMD ["true"]\nCMD ["true"]\n', f"{MADE}:ends")

    assert health.status(engine, MADE, reference)[0] == "ended"


def test_an_index_has_an_image_for_each_platform(cluster: Cluster, engine: Engine) -> None:
    """The registry's index names both platforms with different images, and its name for a manifest is that of the index."""
    both = {
        platform: builds.build(
            engine, SCRATCH, f"{MADE}:{platform.replace('/', '-')}", files={"program": platform}, platform=platform
        )
        for platform in platforms.PLATFORMS
    }
    name = platforms.join(cluster, MADE, both)
    table = platforms.entries(cluster, MADE, both)

    assert set(table["platform"]) == set(platforms.PLATFORMS)
    assert table["digest"].nunique() == len(platforms.PLATFORMS)
    assert name.rpartition("@")[2][:19] not in set(table["digest"])
