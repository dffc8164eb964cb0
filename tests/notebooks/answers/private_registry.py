"""Wrong answers to the exercises of 2.5-registry."""

from kitlib.cluster.bound import Cluster
from kitlib.exercises.private_registry import Pull, Reclaim, Signed
from kitlib.private_registry import Private, client, ensure, pulls, signing, storage
from kitlib.workloads import builds

FROM = "ARG ALPINE\nFROM ${ALPINE}\n"


def _push(cluster: Cluster, made: str, name: str, size: int = 9) -> Private:
    private = ensure(cluster)
    tag = f"{made}:{name.rpartition(':')[2]}"
    image = builds.build(cluster.engine, f"{FROM}RUN head -c {size} /dev/urandom > /mine\n", tag)
    client.push(private, image, name)
    return private


def _pod(cluster: Cluster, secret: str, host: str = "") -> None:
    Pull().reset()
    private = _push(cluster, Pull.made, f"{Pull.repository}:1")
    pulls.trust(private)
    namespace = cluster.namespace(Pull.namespace)
    namespace.apply(pulls.secret(private, host=host or private.address))
    pulls.outcome(namespace, pulls.pod("answer", f"{Pull.repository}:1", secret=secret))


def _without_secret(cluster: Cluster) -> None:
    _pod(cluster, "")


def _for_another_host(cluster: Cluster) -> None:
    _pod(cluster, pulls.SECRET)


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


WRONG = {
    Pull.name: (_without_secret, _for_another_host),
    Reclaim.name: (_only_pushed, _only_deleted, _keep_alone),
    Signed.name: (_unsigned, _signed_before),
}
