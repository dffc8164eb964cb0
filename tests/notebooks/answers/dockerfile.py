"""Wrong answers to the exercises of 2.2-dockerfile."""

from kitlib.cluster.bound import Cluster
from kitlib.exercises.dockerfile import LICENCE, PRINT, SECRET_ID, Healthy, Ignored, Secret
from kitlib.supply import images
from kitlib.workloads import builds

FROM = "ARG ALPINE\nFROM ${ALPINE}\n"
GOAPP = (
    "ARG GOAPP\nARG ALPINE\nFROM ${GOAPP} AS built\nFROM ${ALPINE}\nCOPY --from=built /usr/local/bin/catalog /catalog\n"
)
RUN = 'USER 65532\nENTRYPOINT ["/catalog"]\n'


def _by_argument(cluster: Cluster) -> None:
    text = f"{FROM}ARG LICENCE\nRUN printf %s $LICENCE | sha256sum > /fingerprint\n"
    builds.build(cluster.engine, text, f"{Secret.made}:answer", args={"LICENCE": LICENCE})


def _by_file(cluster: Cluster) -> None:
    text = f"{FROM}COPY licence /licence\nRUN sha256sum < /licence > /fingerprint && rm /licence\n"
    builds.build(cluster.engine, text, f"{Secret.made}:answer", files={"licence": LICENCE})


def _known_checksum(cluster: Cluster) -> None:
    """It was computed beforehand, and is written as it is."""
    text = f"{FROM}RUN echo {PRINT} > /fingerprint\nCOPY Dockerfile /Dockerfile\n"
    builds.build(cluster.engine, text, f"{Secret.made}:answer", secrets={SECRET_ID: LICENCE})


def _healthy(cluster: Cluster, check: str) -> None:
    goapp = {"GOAPP": images.image("goapp-scratch").reference}
    builds.build(cluster.engine, GOAPP + check + RUN, f"{Healthy.made}:answer", args=goapp)


def _unchecked(cluster: Cluster) -> None:
    _healthy(cluster, "")


def _without_curl(cluster: Cluster) -> None:
    _healthy(cluster, 'HEALTHCHECK CMD ["curl", "-f", "http://127.0.0.1:8080/health"]\n')


def _ignore(cluster: Cluster, patterns: str) -> None:
    files = Ignored().given() | {".dockerignore": patterns}
    builds.build(cluster.engine, f"{FROM}COPY . /src\n", f"{Ignored.made}:answer", files=files)


def _too_little(cluster: Cluster) -> None:
    _ignore(cluster, ".git\n")


def _too_much(cluster: Cluster) -> None:
    _ignore(cluster, "*\n!bin\n")


WRONG = {
    Secret.name: (_by_argument, _by_file, _known_checksum),
    Healthy.name: (_unchecked, _without_curl),
    Ignored.name: (_too_little, _too_much),
}
