"""Wrong answers to the exercises of 2.1-docker-concepts."""

from kitlib.exercises.docker_concepts import BIG, MEMORY, PROCESSES, Deleted, Limits, Order
from tests.notebooks.answers.shell import Bash, bash, built

FROM = "ARG ALPINE\nFROM ${ALPINE}\n"
ALPINE = '--build-arg ALPINE="$ALPINE"'
TOOL = f"RUN head -c {BIG} /dev/urandom > /tool\n"
PAGE = "COPY page.html /index.html\n"

# deleted: the starter file as it is; a cheat: the bytes were never needed
AS_GIVEN = built(f"{Deleted.made}:answer", file="deleted.Dockerfile", options=ALPINE)
WITHOUT_RESULT = built(
    f"{Deleted.made}:answer", f"{FROM}RUN head -c {BIG} /dev/urandom > /big && rm /big\n", options=ALPINE
)


def _order(dockerfile: str, *pages: str) -> Bash:
    """The two images, from one Dockerfile."""
    builds = [
        f"echo {page} > page.html\n{built(f'{Order.made}:{tag}', dockerfile, options=ALPINE).text}"
        for tag, page in zip(Order.tags, pages, strict=True)
    ]
    return bash("\n".join(builds))


def _started(options: str) -> Bash:
    return bash(f'docker rm --force {Limits.made}\ndocker run -d --name {Limits.made} {options} "$ALPINE" sleep 3600')


WRONG = {
    Deleted.name: (AS_GIVEN, WITHOUT_RESULT),
    Order.name: (_order(FROM + PAGE + TOOL, "one", "another"), _order(FROM + TOOL + PAGE, "one", "one")),
    Limits.name: (
        _started("--read-only --tmpfs /run"),
        _started(f"--memory {MEMORY} --pids-limit {PROCESSES}"),
    ),
}
