"""A learner's file as a treatment: what is replaced, what stays, and what is refused before anything runs."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from kitlib import paths
from kitlib.claims import register
from kitlib.claims.levels import MINE
from kitlib.errors import InputError, UsageError
from kitlib.kube.client import Object
from kitlib.measure.selfhealing import detection, ownprobe, probes
from kitlib.measure.workloads import rollouts
from kitlib.workloads.ownfile import INSTANCE, OwnFile
from tests.unit.frames import rows

STARTER = paths.ROOT / "notebooks" / "files" / "3.2-deployment" / "deployment.yaml"
TEXT = """
kind: Deployment
apiVersion: apps/v1
metadata: {name: shop, namespace: elsewhere}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  strategy: {rollingUpdate: {maxSurge: 2}}
  template:
    metadata: {labels: {app: shop, team: a}}
    spec:
      topologySpreadConstraints:
        - {maxSkew: 1, labelSelector: {matchLabels: {app: shop}}}
      containers:
        - {name: sidecar, image: other}
        - name: shop
          image: kit.local/catalog:1.0
          ports: [{containerPort: 8080}]
          env: [{name: A, value: "1"}, {name: CATALOG_START_DELAY, value: 9s}]
          livenessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 3, failureThreshold: 2}
---
kind: Service
apiVersion: v1
metadata: {name: shop}
---
kind: ConfigMap
apiVersion: v1
metadata: {name: settings, namespace: elsewhere}
"""


@pytest.fixture
def objects() -> list[Object]:
    return list(yaml.safe_load_all(TEXT))


def serving(objects: list[Object]) -> Any:
    return objects[0]["spec"]["template"]["spec"]["containers"][1]


def test_only_what_is_in_the_way_is_replaced(objects: list[Object]) -> None:
    """Name, image and labels are the trial's; strategy, replicas, probes and the sidecar stay; the file's objects are not changed."""
    before = deepcopy(objects)
    config, deployment, service = OwnFile.of(objects).manifests(
        "mine-3", "kit.local/x:1", {"CATALOG_START_DELAY": "3s"}
    )
    spec, pod = deployment["spec"], deployment["spec"]["template"]
    container = pod["spec"]["containers"][1]

    assert objects == before
    assert config["metadata"] == {"name": "settings"}
    assert (deployment["metadata"]["name"], spec["replicas"], spec["strategy"]) == (
        "mine-3",
        2,
        objects[0]["spec"]["strategy"],
    )
    assert spec["selector"] == {"matchLabels": {INSTANCE: "mine-3"}}
    assert pod["metadata"]["labels"] == {"app": "mine-3", "team": "a", INSTANCE: "mine-3"}
    assert pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == {"app": "mine-3"}
    assert (container["image"], pod["spec"]["containers"][0]["image"]) == ("kit.local/x:1", "other")
    assert container["env"] == [{"name": "A", "value": "1"}, {"name": "CATALOG_START_DELAY", "value": "3s"}]
    assert container["livenessProbe"] == serving(objects)["livenessProbe"]
    assert service["spec"] == {"selector": {INSTANCE: "mine-3"}, "ports": [{"port": 80, "targetPort": 8080}]}


def without(*path: Any) -> Any:
    def change(objects: list[Object]) -> None:
        found: Any = objects
        for key in path[:-1]:
            found = found[key]
        del found[path[-1]]

    return change


POD = (0, "spec", "template", "spec")
REFUSED = {
    "no Deployment": (without(0), "no Deployment"),
    "two": (lambda objects: objects.append(objects[0]), "2 Deployments"),
    "no spec": (without(0, "spec"), "no spec"),
    "no template": (without(0, "spec", "template"), "no spec.template"),
    "no containers": (without(*POD, "containers"), "names its port"),
    "no port": (without(*POD, "containers", 1, "ports"), "names its port"),
    "a port that is text": (lambda objects: serving(objects)["ports"][0].update(containerPort="http"), "not a number"),
    "no replicas": (lambda objects: objects[0]["spec"].update(replicas=0), "no replicas"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_cannot_be_measured_is_refused(kind: str, objects: list[Object]) -> None:
    """By the experiment too, before it touches a namespace; the error has a next step."""
    change, said = REFUSED[kind]
    change(objects)
    with pytest.raises(InputError, match=said) as caught:
        rollouts.roll(None, "", [{"setting": MINE}], mine=objects)  # type: ignore[arg-type]

    assert "files.reset" in caught.value.hint


def test_the_level_needs_the_objects() -> None:
    """Both experiments say how to hand them over."""
    for measure, trial in ((rollouts.roll, {"setting": MINE}),):
        with pytest.raises(UsageError, match="'mine' needs your objects"):
            measure(None, "", [trial])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'mine' needs your objects"):
        detection.detect(None, "", [{"probe": MINE}])  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [STARTER], ids=lambda path: path.parent.name)
def test_a_starter_file_can_be_measured(path: Path) -> None:
    """Headless, the starter is what is measured."""
    assert OwnFile.of([found for found in yaml.safe_load_all(path.read_text()) if found]).port == 8080


def test_a_probe_of_the_file_is_a_case(objects: list[Object]) -> None:
    """With its numbers and its path, planned beside the others."""
    found = ownprobe.cases(objects)
    (trial,) = detection.plan([{"probe": MINE}], found)

    assert found[MINE] == probes.Case(probes.Probe(period=3, failures=2), path="/ready")
    assert list(found)[:-1] == list(probes.CASES) == list(ownprobe.cases(()))
    assert (trial.case, trial.name) == (found[MINE], "liveness-4-0")


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (None, "no livenessProbe"),
        ({"tcpSocket": {"port": 8080}}, "asks no path"),
        ({"httpGet": {"path": "/metrics"}}, "asks no path"),
        ({"httpGet": {"path": "/health"}, "periodSeconds": "3"}, "not a number"),
        ({"httpGet": {"path": "/health"}, "periodSeconds": 60}, "needs longer"),
        ({"httpGet": {"path": "/health"}, "initialDelaySeconds": 600}, "needs longer"),
    ],
)
def test_a_probe_that_cannot_be_measured_is_refused(objects: list[Object], probe: Any, said: str) -> None:
    """The error says what is missing."""
    serving(objects)["livenessProbe"] = probe
    with pytest.raises(InputError, match=said):
        ownprobe.cases(objects)


def test_a_file_is_drawn_and_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that loses requests changes no verdict when it is the learner's; the grid has it."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))
    values = {"drain, one more": [0, 0], "abrupt, one more": [0, 0], MINE: [7, 9]}
    seconds = {name: [1.0, 1.0] for name in values}
    runs = pd.DataFrame(
        rows("3.2-rolling", "setting", "failed", values, "count")
        + rows("3.2-rolling", "setting", "seconds", seconds, "s")
    )
    claim = register.claim("3.2-rolling")
    judged = claim.verdict(runs)
    table = rollouts.picture(runs).table

    assert (judged.verdict, judged.n) == ("holds", 4)
    assert MINE not in {sample.treatment for sample in judged.treatments}
    assert list(table[""]) == ["drain", "abrupt", MINE]
    assert table[rollouts.AS_WRITTEN].iloc[-1] == "8 failed\n1 s"
