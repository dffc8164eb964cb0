"""goapp's manifests and its rollout, tested without a cluster."""

import pytest

from kitlib.errors import CommandFailed, UsageError
from kitlib.kube import kustomize
from kitlib.kube.client import Object
from kitlib.workloads import app

IMAGE = "127.0.0.1:5000/goapp:1.2"
DIGEST = "sha256:" + "ab" * 32


def deployment(*treatments: str, image: str = IMAGE, replicas: int | None = None, **env: str) -> Object:
    rendered = app.manifests("shop", image, replicas=replicas, treatments=treatments, env=env)
    return next(m for m in rendered if m["kind"] == "Deployment")


def container(found: Object) -> Object:
    only: Object
    (only,) = found["spec"]["template"]["spec"]["containers"]
    return only


def environment(found: Object) -> dict[str, str]:
    return {e["name"]: e["value"] for e in container(found)["env"] if "value" in e}


def test_an_instance_is_three_objects_of_one_name() -> None:
    """Deployment, Service and PodDisruptionBudget are called like the instance, and select its pods by that name alone."""
    found = {m["kind"]: m for m in app.manifests("shop", IMAGE)}
    selectors = [
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["Deployment"]["spec"]["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]

    assert found.keys() == {"Deployment", "Service", "PodDisruptionBudget"}
    assert {m["metadata"]["name"] for m in found.values()} == {"shop"}
    assert selectors == 4 * [{"app.kubernetes.io/instance": "shop"}]


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (IMAGE, "1.2"),
        ("kit.local/goapp-scratch:b47730c32e52", "b47730c32e52"),
        ("registry.example:5000/goapp", "latest"),
        (f"registry.example/goapp@{DIGEST}", "abababababab"),
        (f"registry.example/goapp:1.2@{DIGEST}", "1.2"),
    ],
)
def test_the_image_is_the_one_that_was_asked_for(image: str, version: str) -> None:
    """Ports of registries, tags and digests survive; the version label is the tag, else the digest's beginning."""
    found = deployment(image=image)

    assert container(found)["image"] == image
    assert found["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] == version


def test_replicas_are_the_callers_else_the_treatments() -> None:
    """A treatment may set the number of replicas; a number that the caller gives wins."""
    assert deployment()["spec"]["replicas"] == 1
    assert deployment("guide-3.2")["spec"]["replicas"] == 3
    assert deployment("guide-3.2", replicas=5)["spec"]["replicas"] == 5


def test_the_environment_is_merged_by_name() -> None:
    """Treatments add to the environment, the later one wins, and the caller wins over all."""
    found = deployment("quick-exit", "slow-start", CATALOG_START_DELAY="2s", MORE="x")

    assert environment(found) == {
        "CATALOG_DRAIN_DELAY": "0s",
        "CATALOG_SHUTDOWN_TIMEOUT": "1s",
        "CATALOG_START_DELAY": "2s",
        "MORE": "x",
    }


def test_a_treatment_can_take_a_probe_away() -> None:
    """`no-readiness` removes that probe and no other."""
    probes = {key for key in container(deployment("no-readiness")) if key.endswith("Probe")}

    assert probes == {"livenessProbe", "startupProbe"}


def test_what_a_treatment_adds_is_the_instances_too() -> None:
    """The ConfigMap of `config` is called like the instance, and the container refers to it by that name."""
    found = app.manifests("shop", IMAGE, treatments=["config"])
    added = {m["kind"]: m["metadata"]["name"] for m in found if m["kind"] in ("ConfigMap", "Secret")}
    deployed = next(m for m in found if m["kind"] == "Deployment")
    env = {e["name"]: e for e in container(deployed)["env"]}

    assert added == {"ConfigMap": "shop", "Secret": "shop"}
    assert env["CATALOG_MOTD"]["valueFrom"]["configMapKeyRef"]["name"] == "shop"
    assert env["CATALOG_API_KEY"]["valueFrom"]["secretKeyRef"]["name"] == "shop"
    assert deployed["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] == "shop"


def test_a_chain_is_three_instances_that_call_each_other() -> None:
    """gateway calls catalog's Service, catalog calls backend's, and backend calls none."""
    deployed = {m["metadata"]["name"]: m for m in app.chain(IMAGE, treatments=["faults"]) if m["kind"] == "Deployment"}
    calls = {name: environment(found).get("CATALOG_DOWNSTREAM") for name, found in deployed.items()}

    assert calls == {"gateway": "http://catalog", "catalog": "http://backend", "backend": None}
    assert all(environment(found)["CATALOG_FAULTS"] == "true" for found in deployed.values())


def test_a_pod_is_the_deployments_pod() -> None:
    """Labels and spec are the template's."""
    template = deployment("quick-exit")["spec"]["template"]
    found = app.pod("shop", IMAGE, treatments=["quick-exit"])

    assert found["metadata"] == {"name": "shop", "labels": template["metadata"]["labels"]}
    assert found["spec"] == template["spec"]


def test_who_changes_a_manifest_changes_their_own() -> None:
    """Rendering is cached; what it gives is not shared."""
    deployment()["spec"]["replicas"] = 7

    assert deployment()["spec"]["replicas"] == 1


def test_an_unknown_treatment_is_named() -> None:
    """The error says which, and what there is."""
    with pytest.raises(UsageError, match="no treatment sunshine") as caught:
        app.manifests("shop", IMAGE, treatments=["faults", "sunshine"])

    assert "quick-exit" in caught.value.hint


def test_kustomize_is_quoted() -> None:
    """An overlay that kustomize refuses is an error with its words."""
    with pytest.raises(CommandFailed, match="no-such-base"):
        kustomize.render({"resources": ["no-such-base"]})


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
        ({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2}, False),
        ({}, False),
    ],
)
def test_rolled_out_means_the_newest_template_and_nothing_else(status: Object, done: bool) -> None:
    """Not before the controller has seen the change, not while an old pod is left, not while a new one is unavailable."""
    assert app.rolled_out({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}) is done


def test_a_deployment_of_none_is_rolled_out_when_none_is_left() -> None:
    """The API leaves zeros out of the status."""
    assert app.rolled_out({"metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}})
    assert not app.rolled_out(None)
