"""goapp's manifests on the real API server, and its pods through the API server's proxy."""

from collections.abc import Iterator

import pytest

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ApiError, ClusterError
from kitlib.kube.client import Object
from kitlib.workloads import app

ENFORCE = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}


@pytest.fixture(scope="module")
def restricted(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace in which Pod Security admits what is restricted, and nothing else."""
    namespace = cluster.namespace("app-restricted", fresh=True)
    cluster.kube.patch("Namespace", namespace.name, "", ENFORCE)
    yield namespace
    namespace.undo()


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with two instances: `shop` can be made faulty, `other` cannot."""
    namespace = cluster.namespace("app", fresh=True)
    image = cluster.image("goapp-distroless")
    namespace.apply(*app.manifests("shop", image, replicas=2, treatments=["quick-exit", "faults"]))
    namespace.apply(*app.manifests("other", image, treatments=["quick-exit"]))
    for name in ("shop", "other"):
        app.roll_out(namespace, name)
    yield namespace
    namespace.undo()


def dry_run(namespace: Namespace, pod: Object) -> None:
    """Admission and validation, without making anything.  Raises ApiError."""
    namespace.cluster.kube.create("Pod", namespace.name, pod, dry_run=True)


@pytest.mark.parametrize("treatments", [[], *([name] for name in app.all_treatments())], ids="-".join)
def test_pod_security_restricted_admits_every_treatment(restricted: Namespace, treatments: list[str]) -> None:
    """The base's pods, and those of each treatment, are valid and pass the strictest of Kubernetes' standards."""
    dry_run(restricted, app.pod("try", "kit.local/goapp:1", treatments=treatments))


def test_pod_security_restricted_refuses_what_is_not(restricted: Namespace) -> None:
    """The same pod, allowed to gain privileges, is refused: the namespace does enforce."""
    pod = app.pod("try", "kit.local/goapp:1")
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True

    with pytest.raises(ApiError, match="allowPrivilegeEscalation"):
        dry_run(restricted, pod)


def test_instances_do_not_share_pods(namespace: Namespace) -> None:
    """Two instances in one namespace: each has the pods it asked for."""
    names = {name: {p["metadata"]["name"] for p in app.pods(namespace, name)} for name in ("shop", "other")}

    assert {name: len(found) for name, found in names.items()} == {"shop": 2, "other": 1}
    assert not names["shop"] & names["other"]


def test_any_status_is_an_answer(namespace: Namespace) -> None:
    """A pod is asked by name or as an object; a refusal is also an answer, and says which pod it is from."""
    pod = app.pods(namespace, "other")[0]
    found = app.ask(namespace, pod, "/items")
    made = app.ask(namespace, pod["metadata"]["name"], "items", method="POST", body={"name": "Mug", "price_cents": 900})
    unknown = app.ask(namespace, pod, "/nowhere")

    assert (found.status, made.status, unknown.status) == (200, 201, 404)
    assert made.body["name"] == "Mug"
    assert "error" in unknown.body
    assert found.headers["x-served-by"] == pod["metadata"]["name"]


def test_a_pod_that_does_not_exist_is_an_error(namespace: Namespace) -> None:
    """The API server's own refusal is not taken for the pod's."""
    with pytest.raises(ApiError, match="nobody") as caught:
        app.ask(namespace, "nobody", "/items")

    assert caught.value.status == 404


def test_a_fault_begins_and_is_healed(namespace: Namespace) -> None:
    """One pod answers with errors while the other does not; healed, it answers again."""
    sick, well = app.pods(namespace, "shop")
    app.inject(namespace, sick, "error", rate=1, status=503)
    during = [app.ask(namespace, pod, "/items").status for pod in (sick, well)]
    app.heal(namespace, sick, "error")

    assert during == [503, 200]
    assert app.ask(namespace, sick, "/items").status == 200


def test_a_hanging_pod_is_an_error_after_the_deadline(namespace: Namespace) -> None:
    """No answer is not an answer; asking stops when the caller said so."""
    pod = app.pods(namespace, "shop")[0]
    app.inject(namespace, pod, "hang")
    try:
        with pytest.raises(ClusterError, match="no answer"):
            app.ask(namespace, pod, "/items", seconds=0.5)
    finally:
        app.heal(namespace, pod, "hang")


def test_faults_are_off_unless_asked_for(namespace: Namespace) -> None:
    """Without the treatment, goapp has no faults; the error names the treatment."""
    with pytest.raises(ClusterError) as caught:
        app.inject(namespace, app.pods(namespace, "other")[0], "error")

    assert "treatments=['faults']" in caught.value.hint


def test_a_fault_that_does_not_exist_is_refused_in_goapps_words(namespace: Namespace) -> None:
    """The error quotes the program."""
    with pytest.raises(ClusterError, match=r"goapp says .*sunburn"):
        app.inject(namespace, app.pods(namespace, "shop")[0], "sunburn")


def test_a_chain_passes_requests_on(namespace: Namespace) -> None:
    """gateway → catalog → backend: the answer to the first names all three.

    Callees first: the node learns a Service's endpoints a moment after the pod is ready, which is while the caller starts.
    """
    objects = app.chain(namespace.cluster.image("goapp-distroless"), treatments=["quick-exit"])
    for name in reversed(app.CHAIN):
        namespace.apply(*(m for m in objects if m["metadata"]["name"] == name))
        app.roll_out(namespace, name)
    names = [app.pods(namespace, name)[0]["metadata"]["name"] for name in app.CHAIN]
    answer = app.ask(namespace, names[0], "/items")

    assert answer.status == 200
    assert answer.headers["x-served-by"] == ", ".join(names)
