"""What 2.3 finds in images, where the answer is known from elsewhere."""

from collections.abc import Iterator

import pytest

from kitlib import paths
from kitlib.cluster.bound import Cluster
from kitlib.engine.client import Engine
from kitlib.errors import EngineError
from kitlib.host import proc, tools
from kitlib.measure.images import needs, sbom
from kitlib.supply import images
from kitlib.workloads import builds

MADE = "test-contents"
CACHE = "--mount=type=cache,target=/root/.cache/go-build"
BUILD = f"ARG BASE GOLANG\nFROM ${{GOLANG}} AS build\nWORKDIR /src\nCOPY . .\nRUN {CACHE} CGO_ENABLED=0 go build -o /needs ./needs\n"
PROGRAM = 'COPY --from=build /needs /needs\nUSER 65534\nENTRYPOINT ["/needs"]\n'


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[Engine]:
    yield cluster.engine
    builds.remove(cluster.engine, MADE)


def test_the_program_finds_what_was_put_there(engine: Engine) -> None:
    """On scratch it finds nothing; with one file for each thing it looks for, just that."""
    bare = needs.found(engine, needs.build(engine, f"{BUILD}FROM scratch\n{PROGRAM}", f"{MADE}:bare"))
    names = (
        f"{BUILD}RUN mkdir /out && echo x:x:65534:65534::/:/ > /out/passwd\nFROM scratch\nCOPY --from=build /out /etc\n"
    )
    named = needs.found(engine, needs.build(engine, names + PROGRAM, f"{MADE}:named"))

    assert bare == {"runs": 1, "roots": 0, "zone": 0, "user": 0, "temp": 0, "found": 0}
    assert named == {**bare, "user": 1, "found": 1}


def test_another_program_is_an_error(engine: Engine) -> None:
    """An answer that is not the program's is never taken for zeros."""
    text = 'ARG ALPINE\nFROM ${ALPINE}\nENTRYPOINT ["echo", "{}"]\n'

    with pytest.raises(EngineError, match="does not print what it finds"):
        needs.found(engine, builds.build(engine, text, f"{MADE}:other"))


def test_the_program_says_itself_what_it_is_made_of(engine: Engine) -> None:
    """The modules by the source are those that `go list -m` has selected, and goapp's scratch image names them all."""
    form = "{{.Path}} {{.Version}}"
    selected = proc.run([tools.go(), "list", "-m", "-f", form, "all"], cwd=paths.ROOT / "goapp", env=tools.go_env())
    found = sbom.listed(engine, images.image("goapp-scratch").reference)

    assert {" ".join(module) for module in sbom.modules()} <= set(selected.splitlines())
    assert found["listed"] == 100
    assert found["components"] > len(sbom.modules())  # the standard library, and goapp itself
