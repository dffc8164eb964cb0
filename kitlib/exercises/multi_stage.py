"""Exercises of 2.3-multi-stage: the learner builds an image by `kit.app.build`; the checks look at the image."""

from __future__ import annotations

from abc import abstractmethod

from kitlib import images
from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.built import Built
from kitlib.measure import needs
from kitlib.measure.surface import surface

ROOM = 1.3  # the kit's own also leaves gRPC's request tracing out, by a build tag that is not this chapter's matter


class _OfGoapp(Built):
    """The answer is an image of goapp, by the learner's Dockerfile."""

    tags = ("answer",)
    dockerfile: str  # that solves it
    silent: str  # where to look when it does not start

    @property
    def solution_text(self) -> str:  # type: ignore[override]
        return f'kit.app.build(cluster.engine, """\\\n{self.dockerfile}""", "{self.made}:answer")'

    def judge(self) -> Outcome:
        reference = self.reference("answer")
        ended = self.cluster.engine.run(reference, ["-version"])
        if ended.exit_code != 0:
            return failed(f"the engine says: {ended.error or ended.output.strip()}", look=self.silent)
        return self.rate(ended.output.strip(), self.cluster.engine.size(reference))

    @abstractmethod
    def rate(self, version: str, size: int) -> Outcome:
        """Judge an image that starts and says this; size: in bytes."""


class Loader(_OfGoapp):
    """Mend the guide's Dockerfile."""

    name = "2.3-multi-stage/loader"
    made = "exercise-loader"
    task = (
        f"The section's Dockerfile gives an image that cannot start. Mend it with one change and build it as `{made}:answer`: "
        "it must start, and must still be small. `kit.app.build(cluster.engine, dockerfile, tag)` builds goapp by your text."
    )
    first_hint = "The binary asks for a loader that the final base lacks. Which setting of the Go compiler makes it ask for none?"
    dockerfile = (
        "ARG GOLANG\nARG ALPINE\n"
        "FROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /catalog ./cmd/catalog\n"
        'FROM ${ALPINE}\nCOPY --from=build /catalog /catalog\nENTRYPOINT ["/catalog"]\n'
    )

    silent = "the build stage: does the binary still need a dynamic loader (CGO_ENABLED)?"

    def rate(self, version: str, size: int) -> Outcome:
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
    first_hint = "Start the final stage FROM scratch, and think of what else the linker puts into a binary."
    dockerfile = (
        "ARG GOLANG\n"
        "FROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
        'RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /catalog ./cmd/catalog\n'
        'FROM scratch\nCOPY --from=build /catalog /catalog\nUSER 65532\nENTRYPOINT ["/catalog"]\n'
    )

    silent = "ENTRYPOINT, and whether the binary is static"

    def rate(self, version: str, size: int) -> Outcome:
        user, refused = self.user("answer")
        if refused:
            return refused
        best = self.cluster.engine.size(images.ensure(self.cluster.engine, ["goapp-scratch"])["goapp-scratch"])
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
    first_hint = "From which of the chapter's bases could a file be taken, and to which path does Go's standard library look for it?"
    dockerfile = (
        "ARG GOLANG\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
        "RUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -tags timetzdata -o /out/needs ./needs\n"
        "RUN mkdir -p /out/etc/ssl/certs && cat /usr/share/ca-certificates/mozilla/*.crt > /out/etc/ssl/certs/ca-certificates.crt\n"
        f"RUN mkdir -m 1777 /out/tmp && echo nobody:x:{needs.USER}:{needs.USER}::/:/ > /out/etc/passwd\n"
        f'FROM scratch\nCOPY --from=build /out /\nUSER {needs.USER}\nENTRYPOINT ["/needs"]\n'
    )
    solution_text = f'kit.measure.needs.build(cluster.engine, """\\\n{dockerfile}""", "{made}:answer")'

    def judge(self) -> Outcome:
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
