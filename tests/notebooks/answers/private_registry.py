"""Wrong answers to the exercises of 2.5-registry."""

from kitlib.cluster.bound import Cluster
from kitlib.exercises import terminal
from kitlib.exercises.private_registry import NAMED, PUSH, Pull, Reclaim, Signed
from kitlib.private_registry import Private, client, ensure, files, signing, storage
from kitlib.workloads import builds
from tests.notebooks.answers.shell import Bash, bash

FROM = "ARG ALPINE\nFROM ${ALPINE}\n"


def _push(cluster: Cluster, made: str, name: str, size: int = 9) -> Private:
    private = ensure(cluster)
    tag = f"{made}:{name.rpartition(':')[2]}"
    image = builds.build(cluster.engine, f"{FROM}RUN head -c {size} /dev/urandom > /mine\n", tag)
    client.push(private, image, name)
    return private


def _applied(*commands: str) -> Bash:
    """Push the image, make the Secret by these commands, then run the pod of the file in place of an earlier one."""
    before = f"{PUSH}{terminal.space(Pull.space)}{IN_PLACE} delete secret {Pull.secret} --ignore-not-found"
    after = f"{IN_PLACE} delete pod answer --ignore-not-found\nkubectl apply -f pull.yaml"
    return bash("\n".join([before, *commands, after]))


def _only_pushed(cluster: Cluster) -> None:
    for tag, size in {"keep": 9, "drop": 1_000_000}.items():
        _push(cluster, Reclaim.made, f"{Reclaim.repository}:{tag}", size)


def _only_deleted(cluster: Cluster) -> None:
    storage.delete(ensure(cluster), f"{Reclaim.repository}:drop")


def _keep_alone(cluster: Cluster) -> None:
    """Nothing else was ever pushed, and so nothing is left over."""
    Reclaim().reset()
    _push(cluster, Reclaim.made, f"{Reclaim.repository}:keep")


def _unsigned(cluster: Cluster) -> None:
    _push(cluster, Signed.made, f"{Signed.repository}:1")


def _signed_before(cluster: Cluster) -> None:
    signing.signer(ensure(cluster)).sign(f"{Signed.repository}:1")
    private = ensure(cluster)
    image = builds.build(cluster.engine, f"{FROM}RUN head -c 10 /dev/urandom > /other\n", f"{Signed.made}:1")
    client.push(private, image, f"{Signed.repository}:1")


IN_PLACE = f"kubectl -n kit-{Pull.space}"
CREATE = f"{IN_PLACE} create secret docker-registry {Pull.secret}"
WITHOUT_SECRET = _applied()
OTHER_HOST = _applied(f'{CREATE} --from-file="$CLIENT/config.json"', NAMED)
WRONG_PASSWORD = _applied(
    f"{CREATE} --docker-server={files.HOST} --docker-username={files.USER} --docker-password=wrong", NAMED
)

WRONG = {
    Pull.name: (WITHOUT_SECRET, OTHER_HOST, WRONG_PASSWORD),
    Reclaim.name: (_only_pushed, _only_deleted, _keep_alone),
    Signed.name: (_unsigned, _signed_before),
}
