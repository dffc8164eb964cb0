"""Exercises of 2.3-multi-stage: the learner builds an image by `kit.app.build`; the checks look at the image."""

from __future__ import annotations

import http.client
import json
import secrets
from abc import abstractmethod
from contextlib import closing
from functools import partial
from typing import Any

from kitlib.errors import EngineError, WaitTimeout
from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.built import Built
from kitlib.measure.development import debugging
from kitlib.measure.images import needs
from kitlib.measure.images.surface import surface
from kitlib.supply import builder, images
from kitlib.telemetry import polling
from kitlib.workloads import app, builds, compose

SECONDS = 10.0  # for a container to serve

ROOM = 1.3  # the kit's own also leaves gRPC's request tracing out, by a build tag that is not this chapter's matter


class _OfGoapp(Built):
    """The answer is an image of goapp, by the learner's Dockerfile."""

    tags = ("answer",)
    dockerfile: str  # that solves it
    silent: str  # where to look when it does not start

    @property
    def solution_text(self) -> str:  # type: ignore[override]
        """A cell that builds the image from the reference Dockerfile."""
        return f'kit.app.build(cluster.engine, """\\\n{self.dockerfile}""", "{self.made}:answer")'

    def judge(self) -> Outcome:
        """Look whether the image starts and serves as goapp does, then rate it."""
        reference = self.reference("answer")
        ended = self.cluster.engine.run(reference, ["-version"])
        if ended.exit_code != 0:
            return failed(f"the engine says: {ended.said}", look=self.silent)
        if saw := self._another_program(reference):
            return failed(
                f"-version says {ended.output.strip()!r}",
                saw,
                look="the program of ENTRYPOINT: it has to be goapp, `./cmd/catalog`, which serves on port 8080 at once",
            )
        return self.rate(ended.output.strip(), self.cluster.engine.size(reference))

    def _another_program(self, reference: str) -> str:
        """What shows that a container of the image does not serve as goapp does; empty when it does."""
        container = builds.start(self.cluster.engine, self.made, reference, ports=debugging.loopback(app.PORT))
        try:
            polling.until(
                partial(_sells, container),
                lambda sells: sells or container.status != "running",
                failure=lambda _: "a container of the image serves no catalogue on port 8080",
                seconds=SECONDS,
            )
            return (
                ""
                if container.status == "running"
                else f"a container of the image does not stay: it is {container.status}"
            )
        except WaitTimeout as e:
            return e.message
        finally:
            builds.discard(container)

    @abstractmethod
    def rate(self, version: str, size: int) -> Outcome:
        """Judge an image that starts and says this; size: in bytes."""


def _sells(container: Any) -> bool:
    """Whether a container's program takes a new item and lists it; False when it does not run."""
    try:
        return sells(compose.published(container, app.PORT), secrets.token_hex(4))
    except EngineError:
        return False


def sells(port: int, name: str) -> bool:
    """Whether goapp is at a port of 127.0.0.1: it takes a new item of this name, and lists it after those of a fresh goapp."""
    new = json.dumps({"name": name, "price_cents": 1})
    try:
        _request(port, "POST", new)
        listed = json.loads(_request(port, "GET"))
        names = [item["name"] for item in listed["items"]]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return False
    first = len(debugging.ITEMS)
    return tuple(names[:first]) == debugging.ITEMS and names[first:][-1:] == [name]


def _request(port: int, method: str, body: str | None = None) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        connection.request(method, "/items", body, {"Content-Type": "application/json"})
        return connection.getresponse().read()


class Loader(_OfGoapp):
    """Fix the guide's Dockerfile."""

    name = "2.3-multi-stage/loader"
    made = "exercise-loader"
    task = (
        f"The section's Dockerfile gives an image that cannot start. Mend it with one change and build it as `{made}:answer`: "
        "it must start, and must still be small. `kit.app.build(cluster.engine, dockerfile, tag)` builds goapp by your text."
    )
    hints = (
        "The binary asks for a loader that the final base lacks. Which setting of the Go compiler makes it ask for "
        "none?",
        "With cgo, Go links against the C library of the machine that builds. Without it, the program is static.",
        "Set `CGO_ENABLED=0` before `go build` in the first stage, and change nothing else.",
    )
    dockerfile = (
        "ARG GOLANG\nARG ALPINE\n"
        "FROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /catalog ./cmd/catalog\n"
        'FROM ${ALPINE}\nCOPY --from=build /catalog /catalog\nENTRYPOINT ["/catalog"]\n'
    )

    silent = "the build stage: does the binary still need a dynamic loader (CGO_ENABLED)?"

    def rate(self, version: str, size: int) -> Outcome:
        """Look whether the image has at most a tenth of the size of the single-stage image."""
        limit = self.cluster.engine.size(images.image("goapp-single-stage").reference) / 10
        if size > limit:
            return failed(
                f"it starts, and has {size / 1e6:.0f} MB; a tenth of the single-stage image is {limit / 1e6:.0f} MB",
                look="the last FROM: the toolchain must not be in the final image",
            )
        return passed(f"it starts and says {version!r}", f"it has {size / 1e6:.1f} MB")


class Smallest(_OfGoapp):
    """As small as it gets, and not root."""

    name = "2.3-multi-stage/smallest"
    made = "exercise-smallest"
    task = (
        f"Build the smallest image of goapp that you can, as `{made}:answer`. It must start, run as a user other than root, "
        "and come close to the kit's smallest."
    )
    hints = (
        "Two things make the image large: the base of the final stage, and what the linker puts into the binary beside "
        "the program.",
        "The emptiest base is `scratch`. The flags `-s -w` of the linker leave symbols and debug information out.",
        '`CGO_ENABLED=0 go build -trimpath -ldflags="-s -w"`, then `FROM scratch`, `COPY --from=…`, `USER 65532:65532` '
        "and the ENTRYPOINT.",
    )
    dockerfile = (
        "ARG GOLANG\n"
        "FROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
        'RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /catalog ./cmd/catalog\n'
        'FROM scratch\nCOPY --from=build /catalog /catalog\nUSER 65532\nENTRYPOINT ["/catalog"]\n'
    )

    silent = "ENTRYPOINT, and whether the binary is static"

    def rate(self, version: str, size: int) -> Outcome:
        """Look whether the image's user is not root, and its size is close to that of the kit's smallest."""
        user, refused = self.user("answer")
        if refused:
            return refused
        best = self.cluster.engine.size(builder.ensure(self.cluster.engine, ["goapp-scratch"])["goapp-scratch"])
        if size > ROOM * best:
            return failed(
                f"it has {size / 1e6:.2f} MB, the kit's smallest has {best / 1e6:.2f} MB",
                look="the base of the final stage, and the linker's flags -s and -w",
            )
        return passed(
            f"its user is {user}",
            f"it says {version!r}",
            f"it has {size / 1e6:.2f} MB, the kit's smallest {best / 1e6:.2f} MB",
        )


class Complete(Built):
    """A scratch image in which nothing is missing."""

    name = "2.3-multi-stage/complete"
    made = "exercise-complete"
    tags = ("answer",)
    task = (
        "Give the program that asks for what it needs an image with all of it, and with nothing that can be run beside it: "
        f'`kit.measure.needs.build(cluster.engine, dockerfile, "{made}:answer")`. Your Dockerfile may use the argument `GOLANG`; '
        "the program is the package `./needs` of the build context."
    )
    hints = (
        "`kit.measure.needs.PROGRAM` says what the program asks for. Certificates, zones and names are files: from "
        "which of the chapter's bases could each be taken?",
        "The stage of `GOLANG` has them all. Go's standard library looks for certificates in /etc/ssl/certs, for zones "
        "in /usr/share/zoneinfo, for names in /etc/passwd, and for temporary files in /tmp.",
        "End with `FROM scratch` and copy these four from the first stage, beside the static program: the certificates, "
        "the zones, an /etc/passwd that has the user's number, and a folder /tmp that this user may write to.",
    )
    dockerfile = (
        "ARG GOLANG\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
        "RUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -tags timetzdata -o /out/needs ./needs\n"
        "RUN mkdir -p /out/etc/ssl/certs && cat /usr/share/ca-certificates/mozilla/*.crt > /out/etc/ssl/certs/ca-certificates.crt\n"
        f"RUN mkdir -m 1777 /out/tmp && echo nobody:x:{needs.USER}:{needs.USER}::/:/ > /out/etc/passwd\n"
        f'FROM scratch\nCOPY --from=build /out /\nUSER {needs.USER}\nENTRYPOINT ["/needs"]\n'
    )
    solution_text = f'kit.measure.needs.build(cluster.engine, """\\\n{dockerfile}""", "{made}:answer")'

    def judge(self) -> Outcome:
        """Look whether the program finds all that it needs, and is the only executable in the image."""
        found = needs.found(self.cluster.engine, self.reference("answer"))
        if not found["runs"]:
            return failed("it does not run", look="ENTRYPOINT, and whether the binary is static")
        if missing := [kind for kind in needs.KINDS if not found[kind]]:
            return failed(
                f"it does not find: {', '.join(missing)}",
                look="kit.measure.needs.PROGRAM, which says what each of them is; certificates, zones, names are files",
            )
        counts = surface(self.cluster.engine, self.reference("answer"))
        if counts["executables"] != 1:
            return failed(
                f"everything is found, and {counts['executables']:.0f} programs can be run in the image",
                look="the last FROM: what is the base of the image that is shipped?",
            )
        return passed(f"found: {', '.join(needs.KINDS)}", "nothing but the program itself can be run")
