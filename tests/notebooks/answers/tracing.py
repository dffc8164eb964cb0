"""Wrong answers to the exercises of 4.3-tracing: plausible ones, which the traces that Jaeger has disprove."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster
from kitlib.exercises.tracing import SPACE, Endpoint, Slow, Tail
from kitlib.kube import wait
from kitlib.stacks import traces as stack
from kitlib.workloads import app
from tests.notebooks.answers.shell import Bash, applied

Answer = Callable[[Cluster], object]

ONLY_A_SHARE = """\
processors:
  tail_sampling:
    decision_wait: 2s
    policies: [{name: a share, type: probabilistic, probabilistic: {sampling_percentage: 10}}]
service: {pipelines: {traces: {processors: [memory_limiter, tail_sampling, batch]}}}
"""
EVERYTHING = ONLY_A_SHARE.replace("sampling_percentage: 10", "sampling_percentage: 100")


def _sent_to(endpoint: str) -> Bash:
    """The exercise's file, with another endpoint; an entry that ends with a dash removes the setting."""
    return applied(Endpoint.name, SPACE, f"kubectl -n kit-{SPACE} set env deployment/endpoint {endpoint}")


def _only_given(_: Cluster) -> None:
    Slow().given()


def _restarts_all(cluster: Cluster) -> None:
    Slow().given()
    namespace = cluster.namespace(Slow.place)
    old = [pod["metadata"]["name"] for name in app.CHAIN for pod in app.pods(namespace, name)]
    cluster.kube.clear("Pod", namespace.name, grace=1)
    for pod in old:
        wait.until(cluster.kube, "Pod", pod, namespace.name, done=wait.gone, what="gone")
    for name in app.CHAIN:
        app.roll_out(namespace, name)


def _heals_all(cluster: Cluster) -> None:
    Slow().given()
    namespace = cluster.namespace(Slow.place)
    for name in app.CHAIN:
        app.heal(namespace, app.pods(namespace, name)[0], "delay")


def _laid_over(text: str) -> Answer:
    def answer(cluster: Cluster) -> None:
        stack.install(cluster)
        stack.overlay(cluster, text)

    return answer


WRONG: dict[str, tuple[Answer, ...]] = {
    Endpoint.name: (
        applied(Endpoint.name, SPACE),
        _sent_to("CATALOG_OTLP_ENDPOINT=http://jaeger.kit-traces:16686"),
        _sent_to("CATALOG_OTLP_ENDPOINT-"),
    ),
    Slow.name: (_only_given, _restarts_all, _heals_all),
    Tail.name: (_laid_over(ONLY_A_SHARE), _laid_over(EVERYTHING)),
}
