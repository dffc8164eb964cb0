"""Wrong answers to the exercises of 2.3-multi-stage."""

from kitlib.exercises.multi_stage import Complete, Loader, Smallest
from tests.notebooks.answers.shell import Bash, built

GOLANG = '--build-arg GOLANG="$GOLANG"'
ALPINE = '--build-arg ALPINE="$ALPINE"'
TWO_STAGES = "ARG GOLANG\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n"
CGO = "RUN go build -o /catalog ./cmd/catalog\n"
STATIC = "RUN CGO_ENABLED=0 go build -o /catalog ./cmd/catalog\n"
PROGRAM = "COPY --from=build /catalog /catalog\n"
RUN = 'ENTRYPOINT ["/catalog"]\n'
SPEAKER = 'USER 65532\nENTRYPOINT ["echo", "catalog 1.0"]\n'


def _loader(dockerfile: str = "", file: str = "") -> Bash:
    return built(f"{Loader.made}:answer", dockerfile, file=file, folder='"$SOURCE"', options=f"{GOLANG} {ALPINE}")


def _smallest(dockerfile: str) -> Bash:
    return built(f"{Smallest.made}:answer", dockerfile, folder='"$SOURCE"', options=GOLANG)


def _complete(dockerfile: str = "", file: str = "") -> Bash:
    return built(f"{Complete.made}:answer", dockerfile, file=file, folder='"$NEEDS"', options=GOLANG)


NEEDS = (
    f"{TWO_STAGES}"
    "RUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -tags timetzdata -o /needs ./needs\n"
)

# loader and smallest, the last of each: a cheat, whose program says a version, and is not goapp
WRONG = {
    Loader.name: (
        _loader(file="loader.Dockerfile"),
        _loader(f"{TWO_STAGES}{CGO}FROM ${{GOLANG}}\n{PROGRAM}{RUN}"),
        _loader(f"ARG ALPINE\nFROM ${{ALPINE}}\n{SPEAKER}"),
    ),
    Smallest.name: (
        _smallest(f"{TWO_STAGES}{STATIC}FROM scratch\n{PROGRAM}{RUN}"),
        _smallest(f"{TWO_STAGES}{STATIC}FROM scratch\n{PROGRAM}USER 65532\n{RUN}"),
        _smallest(f"ARG GOLANG\nFROM ${{GOLANG}}\n{SPEAKER}"),
    ),
    Complete.name: (
        _complete(file="complete.Dockerfile"),
        _complete(f'{NEEDS}FROM ${{GOLANG}}\nCOPY --from=build /needs /needs\nENTRYPOINT ["/needs"]\n'),
    ),
}
