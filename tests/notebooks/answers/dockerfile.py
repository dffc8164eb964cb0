"""Wrong answers to the exercises of 2.2-dockerfile."""

from kitlib.exercises.dockerfile import LICENCE, PRINT, SECRET_ID, Healthy, Ignored, Secret
from tests.notebooks.answers.shell import Bash, bash, built

FROM = "ARG ALPINE\nFROM ${ALPINE}\n"
ALPINE = '--build-arg ALPINE="$ALPINE"'
LICENSED = f"mkdir -p secret\nprintf %s {LICENCE} > licence.txt\n"
ITSELF = "COPY Dockerfile /Dockerfile\n"
GOAPP = (
    "ARG GOAPP\nARG ALPINE\nFROM ${GOAPP} AS built\nFROM ${ALPINE}\nCOPY --from=built /usr/local/bin/catalog /catalog\n"
)
RUN = 'USER 65532\nENTRYPOINT ["/catalog"]\n'


def _licensed(dockerfile: str, options: str = "", before: str = "") -> Bash:
    """An image of the folder `secret`.  before: a command that changes the folder."""
    return bash(
        f"{LICENSED}{before}cat > secret/Dockerfile <<'END'\n{FROM}{dockerfile}{ITSELF}END\n"
        f"docker build {ALPINE} {options} -t {Secret.made}:answer secret"
    )


# the second: the licence with a newline; the last, a cheat: the checksum is known, and is written as it is
BY_ARGUMENT = bash(
    f"{LICENSED}cp secret.Dockerfile secret/Dockerfile\n"
    f"docker build {ALPINE} --build-arg LICENCE={LICENCE} -t {Secret.made}:answer secret"
)
WITH_NEWLINE = _licensed(
    f"RUN --mount=type=secret,id={SECRET_ID} (cat /run/secrets/{SECRET_ID}; echo) | sha256sum > /fingerprint\n",
    f"--secret id={SECRET_ID},src=licence.txt",
)
BY_FILE = _licensed(
    "COPY licence.txt /licence\nRUN sha256sum < /licence > /fingerprint && rm /licence\n",
    before="cp licence.txt secret\n",
)
KNOWN_CHECKSUM = _licensed(f"RUN echo {PRINT} > /fingerprint\n")


def _healthy(check: str) -> Bash:
    options = f'--build-arg GOAPP="$GOAPP" {ALPINE}'
    return built(f"{Healthy.made}:answer", GOAPP + check + RUN, options=options)


AS_ROOT = built(f"{Healthy.made}:answer", file="healthy.Dockerfile", options=f'--build-arg GOAPP="$GOAPP" {ALPINE}')


def _ignored(*patterns: str, then: str = "") -> Bash:
    """The folder of the exercise with a .dockerignore.  then: more of its Dockerfile."""
    lines = [
        "sh ignore.sh",
        f"printf '%s\\n' {' '.join(repr(pattern) for pattern in patterns)} > ignore/.dockerignore",
        *([f"echo '{then}' >> ignore/Dockerfile"] if then else []),
        f"docker build {ALPINE} -t {Ignored.made}:answer ignore",
    ]
    return bash("\n".join(lines))


WRONG = {
    Secret.name: (BY_ARGUMENT, WITH_NEWLINE, BY_FILE, KNOWN_CHECKSUM),
    Healthy.name: (AS_ROOT, _healthy(""), _healthy('HEALTHCHECK CMD ["curl", "-f", "http://127.0.0.1:8080/health"]\n')),
    Ignored.name: (
        _ignored(".git"),
        _ignored("*", "!bin"),
        _ignored("bin", then="RUN rm -r /src/.env /src/.git"),
    ),
}
