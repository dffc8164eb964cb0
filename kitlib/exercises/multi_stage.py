"""Exercises of 2.3-multi-stage: the learner builds images; the checks inspect and start them."""

from __future__ import annotations

import http.client
import json
import secrets
from abc import abstractmethod
from contextlib import closing
from functools import partial
from typing import Any, ClassVar

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
    """An exercise whose answer is an image of goapp, built from the learner's Dockerfile."""

    tags = ("answer",)
    folders: ClassVar = {"SOURCE": app.SOURCE}
    silent: str  # where to look when it does not start

    def judge(self) -> Outcome:
        """Verify that the image starts and serves as goapp does, then judge its size."""
        reference = self.reference("answer")
        ended = self.cluster.engine.run(reference, ["-version"])
        if ended.exit_code != 0:
            return failed(f"running the image with -version failed: {ended.said}", look=self.silent)
        if saw := self._another_program(reference):
            return failed(
                f"-version prints {ended.output.strip()!r}",
                saw,
                look="the program of ENTRYPOINT: it must be goapp, `./cmd/catalog`, which serves on port 8080 as soon as it starts",
            )
        return self.rate(ended.output.strip(), self.cluster.engine.size(reference))

    def _another_program(self, reference: str) -> str:
        """Evidence that a container of the image does not serve as goapp does; empty if it does."""
        container = builds.start(self.cluster.engine, self.made, reference, ports=debugging.loopback(app.PORT))
        try:
            polling.until(
                partial(_sells, container),
                lambda sells: sells or container.status != "running",
                failure=lambda _: "a container of the image does not serve goapp's items on port 8080",
                seconds=SECONDS,
            )
            return (
                ""
                if container.status == "running"
                else f"a container of the image does not keep running: it is {container.status}"
            )
        except WaitTimeout as e:
            return e.message
        finally:
            builds.discard(container)

    @abstractmethod
    def rate(self, version: str, size: int) -> Outcome:
        """Judge an image that starts.  version: the output of -version; size: in bytes."""


def _sells(container: Any) -> bool:
    """Whether a container's program accepts a new item and lists it; False if the container does not run."""
    try:
        return sells(compose.published(container, app.PORT), secrets.token_hex(4))
    except EngineError:
        return False


def sells(port: int, name: str) -> bool:
    """Whether goapp listens at a port of 127.0.0.1: it accepts a new item with this name, and lists it after the items of a fresh goapp."""
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
    uses: ClassVar = {"GOLANG": "golang", "ALPINE": "alpine"}
    task = (
        "The image of the guide's section 2.3 cannot start. `loader.Dockerfile` is its Dockerfile, restated. Fix it with one change, and "
        f"build `{made}:answer` from goapp's source: `docker build --build-arg GOLANG=$GOLANG --build-arg ALPINE=$ALPINE -f "
        f"loader.Dockerfile -t {made}:answer $SOURCE`. The image must start, and must still be small."
    )
    hints = (
        "The binary needs a loader that is not in the final base image. With which setting does Go build a binary that "
        "needs no loader?",
        "With cgo, Go links the program against the C library of the build stage. Without cgo, the program is static. "
        f"`docker run --rm {made}:answer -version` shows whether your image starts.",
        "Set `CGO_ENABLED=0` before `go build` in the first stage, and change nothing else.",
    )
    solution_text = f"""\
sed 's/^RUN go build/RUN CGO_ENABLED=0 go build/' loader.Dockerfile > static.Dockerfile
diff loader.Dockerfile static.Dockerfile || true
docker build --build-arg GOLANG="$GOLANG" --build-arg ALPINE="$ALPINE" -f static.Dockerfile -t {made}:answer "$SOURCE"
docker run --rm {made}:answer -version"""

    silent = "the build stage: does the binary still need a dynamic loader (CGO_ENABLED)?"

    def rate(self, version: str, size: int) -> Outcome:
        """Verify that the image has at most a tenth of the size of the single-stage image."""
        limit = self.cluster.engine.size(images.image("goapp-single-stage").reference) / 10
        if size > limit:
            return failed(
                f"the image starts, and its size is {size / 1e6:.0f} MB; a tenth of the single-stage image is {limit / 1e6:.0f} MB",
                look="the last FROM: the toolchain must not be in the final image",
            )
        return passed(f"the image starts, and -version prints {version!r}", f"its size is {size / 1e6:.1f} MB")


class Smallest(_OfGoapp):
    """The smallest possible image, with a user other than root."""

    name = "2.3-multi-stage/smallest"
    made = "exercise-smallest"
    uses: ClassVar = {"GOLANG": "golang"}
    task = (
        f"Build the smallest image of goapp that you can, as `{made}:answer`. It must start, and run as a user other than root. "
        "Its size must be close to the size of the kit's smallest image. Begin with a copy of your `loader.Dockerfile`, called "
        "`smallest.Dockerfile`, and build it with `docker build --build-arg GOLANG=$GOLANG -f "
        f"smallest.Dockerfile -t {made}:answer $SOURCE`."
    )
    hints = (
        "Two things make the image large: the base of the final stage, and the data that the linker adds to the program. "
        "How can you make each of them smaller?",
        "The base `scratch` is empty. The linker flags `-s -w` leave out the symbol table and the debug information. "
        f"`docker image ls {made}` shows the size.",
        'Build with `CGO_ENABLED=0 go build -trimpath -ldflags="-s -w"`. Then write `FROM scratch`, `COPY --from=…`, '
        "`USER 65532:65532` and the ENTRYPOINT.",
    )
    solution_text = f"""\
cat > bare.Dockerfile <<'END'
ARG GOLANG
FROM ${{GOLANG}} AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /catalog ./cmd/catalog

FROM scratch
COPY --from=build /catalog /catalog
USER 65532:65532
ENTRYPOINT ["/catalog"]
END
docker build --build-arg GOLANG="$GOLANG" -f bare.Dockerfile -t {made}:answer "$SOURCE"
docker image ls {made}"""

    silent = "ENTRYPOINT: is its path correct, and is the binary static?"

    def rate(self, version: str, size: int) -> Outcome:
        """Verify that the image's user is not root, and that its size is close to the size of the kit's smallest image."""
        user, refused = self.user("answer")
        if refused:
            return refused
        best = self.cluster.engine.size(builder.ensure(self.cluster.engine, ["goapp-scratch"])["goapp-scratch"])
        if size > ROOM * best:
            return failed(
                f"the image has {size / 1e6:.2f} MB, and the kit's smallest image has {best / 1e6:.2f} MB",
                look="the base of the final stage, and the linker flags -s and -w",
            )
        return passed(
            f"the image's user is {user}",
            f"-version prints {version!r}",
            f"its size is {size / 1e6:.2f} MB, and the kit's smallest image has {best / 1e6:.2f} MB",
        )


class Complete(Built):
    """An image on scratch with everything that its program needs."""

    name = "2.3-multi-stage/complete"
    made = "exercise-complete"
    tags = ("answer",)
    uses: ClassVar = {"GOLANG": "golang"}
    folders: ClassVar = {"NEEDS": needs.FOLDER}
    task = (
        "The chapter's program `./needs` looks for four things at run time. In the image of `complete.Dockerfile`, it finds none of them. "
        "Change the file: the image must contain all four, and no other executable program. The folder `$NEEDS` has the program's source: "
        f"`docker build --build-arg GOLANG=$GOLANG -f complete.Dockerfile -t {made}:answer $NEEDS`. `docker run --rm {made}:answer` prints "
        "what the program finds."
    )
    hints = (
        "`cat $NEEDS/needs/main.go` shows what the program looks for. Certificates, time zones and user names "
        "are files. From which of the chapter's base images can you copy each of them?",
        "The stage of `GOLANG` has all of them. Go's standard library reads certificates from /etc/ssl/certs, time zones "
        "from /usr/share/zoneinfo and user names from /etc/passwd, and creates temporary files in /tmp.",
        "The last stage copies all of /out. So put these into it, in the first stage: the certificates, an /etc/passwd with the user's "
        "number, and a folder /tmp that this user may write to. The time zones are files too, or the program has them, with `go "
        "build -tags timetzdata`.",
    )
    solution_text = f"""\
cat > packed.Dockerfile <<'END'
ARG GOLANG
FROM ${{GOLANG}} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -tags timetzdata -o /out/needs ./needs
RUN mkdir -p /out/etc/ssl/certs && cat /usr/share/ca-certificates/mozilla/*.crt > /out/etc/ssl/certs/ca-certificates.crt
RUN mkdir -m 1777 /out/tmp && echo nobody:x:{needs.USER}:{needs.USER}::/:/ > /out/etc/passwd

FROM scratch
COPY --from=build /out /
USER {needs.USER}
ENTRYPOINT ["/needs"]
END
docker build --build-arg GOLANG="$GOLANG" -f packed.Dockerfile -t {made}:answer "$NEEDS"
docker run --rm {made}:answer"""

    def judge(self) -> Outcome:
        """Verify that the program finds everything that it needs, and is the only executable in the image."""
        found = needs.found(self.cluster.engine, self.reference("answer"))
        if not found["runs"]:
            return failed("the program does not run", look="ENTRYPOINT: is its path correct, and is the binary static?")
        if missing := [kind for kind in needs.KINDS if not found[kind]]:
            return failed(
                f"the program does not find: {', '.join(missing)}",
                look="the source, `$NEEDS/needs/main.go`, which shows what these are: certificates, time zones and names are files",
            )
        counts = surface(self.cluster.engine, self.reference("answer"))
        if counts["executables"] != 1:
            return failed(
                f"the program finds everything, but the image has {counts['executables']:.0f} executable programs",
                look="the last FROM: which base image does the final stage have?",
            )
        return passed(f"the program finds: {', '.join(needs.KINDS)}", "the image has no other executable program")
