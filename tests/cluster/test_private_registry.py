"""The private registry on the real engine and cluster: which clients get in, what is sent, what stays, what is removed."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from kitlib.cluster.bound import Cluster
from kitlib.errors import NotOurs, RegistryRefused
from kitlib.host import identity
from kitlib.measure.registry import logins, wire
from kitlib.pipelines import local
from kitlib.private_registry import Private, client, ensure, files, find, pulls, remove, signing, storage
from kitlib.workloads import builds

MADE = "test-private"
DOCKERFILE = "ARG ALPINE\nFROM ${ALPINE}\nRUN head -c 1000000 /dev/urandom > /program\nCOPY page /page\n"


@pytest.fixture(scope="module")
def registry(cluster: Cluster) -> Iterator[Private]:
    """A new one; it is gone after the tests."""
    remove(cluster)
    yield ensure(cluster)
    remove(cluster)
    builds.remove(cluster.engine, MADE)


@pytest.fixture(scope="module")
def pages(registry: Private) -> tuple[str, str]:
    """Two images that differ in their last layer."""
    engine = registry.cluster.engine
    one, two = (builds.build(engine, DOCKERFILE, f"{MADE}:{page}", files={"page": page}) for page in ("one", "two"))
    return one, two


def test_a_registry_that_runs_is_kept(registry: Private) -> None:
    """`ensure` finds it again, with its password; it is the checkout's own, and on loopback alone."""
    again = ensure(registry.cluster)

    assert (again.container.id, again.password) == (registry.container.id, registry.password)
    assert registry.container.labels[identity.LABEL] == registry.cluster.identity.mark
    assert registry.address.startswith("127.0.0.1:")
    assert (registry.folder / "password").stat().st_mode & 0o077 == 0


def test_strangers_are_refused(registry: Private) -> None:
    """Without a login 401, and over plain HTTP nothing."""
    answer = requests.get(f"https://{registry.address}/v2/", verify=str(registry.ca), timeout=10)

    assert answer.status_code == 401
    assert requests.get(f"http://{registry.address}/v2/", timeout=10).status_code == 400


def test_another_container_of_its_name_is_left_alone(registry: Private) -> None:
    """A registry that has the name and not the mark is neither used nor removed."""
    stranger = replace(registry.cluster, identity=replace(registry.cluster.identity, mark="another"))

    with pytest.raises(NotOurs):
        find(stranger)
    with pytest.raises(NotOurs):
        remove(stranger)


@pytest.mark.parametrize(
    ("way", "used"), {w: w not in ("expired token", "wrong password", "untrusted TLS") for w in logins.WAYS}.items()
)
def test_a_login_does_what_it_should(registry: Private, way: str, used: bool) -> None:
    """Three get in; a wrong password, an expired token and an unknown authority do not.  Only plain config.json shows the password."""
    found = logins.measure(registry, way)

    assert found["used"] == used
    assert found.get("readable", 0) == (way == "config.json")


def test_refusals_say_why(registry: Private) -> None:
    """The client's own words are in the error; the password is not."""
    with pytest.raises(RegistryRefused) as unauthorized, client.fresh(registry, client.wrong(registry)) as here:
        here.crane("catalog", registry.address)
    with pytest.raises(RegistryRefused) as unknown, client.logged_in(registry, ca=client.trusted()) as here:
        here.crane("catalog", registry.address)

    assert "UNAUTHORIZED" in unauthorized.value.output
    assert "x509" in unknown.value.output
    assert registry.password not in f"{unauthorized.value}{unknown.value}"


def test_only_what_changed_is_sent(registry: Private, pages: tuple[str, str]) -> None:
    """First all blobs, then none; with another last layer two; in another repository they are mounted."""
    found = {change: wire.trial(registry, change, *pages) for change in wire.PUSHES}
    uploaded = {change: values["uploaded"] for change, values in found.items()}

    assert uploaded == {"first": 4, "unchanged": 0, "new tag": 0, "last layer": 2, "other repository": 0}
    assert found["other repository"]["mounted"] == 4
    assert found["first"]["sent"] > 1_000_000 > 50 * found["last layer"]["sent"]


def test_bytes_leave_with_the_collection(registry: Private, pages: tuple[str, str]) -> None:
    """Deleting frees next to nothing; the collection frees what no other image has, and the other image stays whole."""
    for tag, page in zip("12", pages, strict=True):
        client.push(registry, page, f"test/page:{tag}")
    before = storage.size(registry)
    storage.clear(registry, "trial/")
    storage.delete(registry, "test/page:1")
    deleted = storage.size(registry)
    unused = storage.unused(registry)
    storage.collect(registry)
    with client.logged_in(registry) as here:
        here.crane("validate", "--remote", f"{registry.address}/test/page:2")

    assert unused
    assert storage.unused(registry) == []
    assert before - deleted < 10_000
    assert storage.tags(registry, "test/page") == ["2"]
    storage.clear(registry, "test/")
    storage.collect(registry)
    assert storage.size(registry) < 10_000


def test_a_pod_pulls_with_the_secret_alone(registry: Private, pages: tuple[str, str]) -> None:
    """Without: refused, in the kubelet's words; with: it runs.  Afterwards the node has neither the image nor the certificate."""
    client.push(registry, pages[0], "test/pull:1")
    pulls.trust(registry)
    namespace = registry.cluster.namespace("private-test", fresh=True)
    without = pulls.outcome(namespace, pulls.pod("without", "test/pull:1"))
    namespace.apply(pulls.secret(registry))
    with_it = pulls.outcome(namespace, pulls.pod("with", "test/pull:1", secret=pulls.SECRET))
    namespace.undo()
    pulls.forget(registry.cluster)
    left = registry.cluster.on_node(
        "sh", "-c", f"ls -d {pulls.FOLDER}; ctr -n k8s.io images list -q | grep {files.HOST}; true"
    )

    assert without.reason in pulls.REFUSED
    assert "authorization failed" in without.said
    assert with_it.reason == ""
    assert f"{files.HOST}/" not in left


def test_the_gate_admits_what_was_signed(registry: Private, pages: tuple[str, str]) -> None:
    """Unsigned: refused.  Signed: its digest.  The tag moved to another image: refused."""
    signer = signing.signer(registry)
    client.push(registry, pages[0], "test/signed:1")
    with pytest.raises(RegistryRefused):
        signer.admit("test/signed:1")
    signed = signer.sign("test/signed:1")
    admitted = signer.admit("test/signed:1")
    client.push(registry, pages[1], "test/signed:1")

    assert admitted == signed
    with pytest.raises(RegistryRefused):
        signer.admit("test/signed:1")


def test_the_pipeline_ends_with_a_version_that_serves(registry: Private) -> None:
    """Every step runs, the Service answers with the commit's version, and the engine keeps neither image nor login."""
    namespace = registry.cluster.namespace("pipeline-test", fresh=True)
    local.prepare(registry, namespace)
    ran = local.run(registry, namespace)
    (deployment,) = namespace.cluster.kube.list("Deployment", namespace.name)
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    version = image.rpartition(":")[2]
    namespace.undo()
    pulls.forget(registry.cluster)

    assert [step.step for step in ran] == list(local.NAMES)
    assert local.values(ran)["works"] == 1
    assert json.loads(ran[-1].output.splitlines()[-1])["version"] == version
    assert image == f"{files.HOST}/goapp:{version}"
    assert registry.cluster.engine.inspect(f"goapp:{version}") is None
    assert storage.tags(registry, "goapp") == [version]


def test_a_step_that_fails_ends_the_pipeline(registry: Private) -> None:
    """In a namespace without goapp nothing can be deployed: kubectl's words are kept, and nothing is verified."""
    namespace = registry.cluster.namespace("pipeline-test", fresh=True)
    ran = local.run(registry, namespace)
    namespace.undo()

    assert [(step.step, step.passed) for step in ran[-2:]] == [("push", True), ("deploy", False)]
    assert "not found" in ran[-1].output
    assert local.values(ran)["works"] == 0
