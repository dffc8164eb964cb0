"""A learner's manifest as a treatment: its Deployment many times side by side, with names and an image that the experiment gives.

Only what would get in the way of the measurement is replaced: name, namespace, image, and the labels by which its pods are found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from kitlib.errors import InputError
from kitlib.kube.client import Object

INSTANCE = "app.kubernetes.io/instance"
SHARED = ("ConfigMap", "Secret", "ServiceAccount")  # what pods refer to by its name, which therefore stays
NEXT = "correct the file; files.reset(NAME) brings back the file of that name as it was given"


@dataclass(frozen=True)
class OwnFile:
    """The Deployment of a file, and the objects of SHARED that come with it."""

    deployment: Object
    shared: tuple[Object, ...] = ()

    @classmethod
    def of(cls, objects: Sequence[Object]) -> OwnFile:
        """Raises InputError, before anything runs, for a file that cannot be measured."""
        found = [each for each in objects if each["kind"] == "Deployment"]
        if len(found) != 1:
            count = f"{len(found)} Deployments" if found else "no Deployment"
            raise InputError(f"your file has {count}, and one is measured", hint=NEXT)
        own = cls(found[0], tuple(each for each in objects if each["kind"] in SHARED))
        if own.replicas < 1:
            raise InputError("the Deployment of your file has no replicas", hint=NEXT)
        assert own.port  # or there is an error
        return own

    @property
    def replicas(self) -> int:
        """The number of pods that it asks for; Kubernetes' own default is 1."""
        count = self._at("spec").get("replicas", 1)
        if not isinstance(count, int):
            raise InputError(f"spec.replicas of your file is {count!r}, not a number", hint=NEXT)
        return count

    @property
    def container(self) -> Mapping[str, Any]:
        """The container that serves: the first one that names a port."""
        return _serving(self.deployment)

    @property
    def port(self) -> int:
        """The port of that container."""
        found = self.container["ports"][0].get("containerPort")
        if not isinstance(found, int):
            raise InputError(f"containerPort of your file is {found!r}, not a number", hint=NEXT)
        return found

    def manifests(self, name: str, image: str, env: Mapping[str, str] | None = None) -> list[Object]:
        """Deployment and Service of this name, with what the pods refer to.  env: more of the container's environment; it wins."""
        return [*map(_here, self.shared), self._deployment(name, image, env or {}), self._service(name)]

    def _deployment(self, name: str, image: str, env: Mapping[str, str]) -> Object:
        made = _here(self.deployment)
        selected = self._at("spec", "selector").get("matchLabels") or {}
        template = made["spec"]["template"]
        labels = {**(template.get("metadata", {}).get("labels") or {}), **dict.fromkeys(selected, name), INSTANCE: name}
        made["metadata"] = {"name": name, "labels": {INSTANCE: name}}
        made["spec"]["selector"] = {"matchLabels": {INSTANCE: name}}
        template["metadata"] = {**template.get("metadata", {}), "labels": labels}
        _relabel(template["spec"], labels)
        container = _serving(made)
        kept = [entry for entry in container.get("env") or [] if entry.get("name") not in env]
        container.update(image=image, env=[*kept, *({"name": key, "value": value} for key, value in env.items())])
        return made

    def _service(self, name: str) -> Object:
        ports = [{"port": 80, "targetPort": self.port}]
        spec = {"selector": {INSTANCE: name}, "ports": ports}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}

    def _at(self, *path: str) -> Mapping[str, Any]:
        return _mapping(self.deployment, *path)


def _serving(deployment: Object) -> dict[str, Any]:
    """Raises InputError when no container of the Deployment names a port."""
    containers = _mapping(deployment, "spec", "template", "spec").get("containers")
    found = [each for each in containers if isinstance(each, dict)] if isinstance(containers, list) else []
    serving = [each for each in found if isinstance(each.get("ports"), list) and each["ports"]]
    if not serving or not isinstance(serving[0]["ports"][0], dict):
        raise InputError("no container of your file names its port", hint=f"ports: [{{containerPort: 8080}}]; {NEXT}")
    return serving[0]


def _mapping(found: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at this place of an object.  Raises InputError when there is none."""
    for i, key in enumerate(path):
        found = found.get(key)
        if not isinstance(found, dict):
            raise InputError(f"the Deployment of your file has no {'.'.join(path[: i + 1])}", hint=NEXT)
    return dict(found)


def _here(found: Object) -> Object:
    """A copy without a namespace of its own."""
    made = deepcopy(found)
    made.get("metadata", {}).pop("namespace", None)
    return made


def _relabel(node: Any, labels: Mapping[str, str]) -> None:
    """Have rules on where pods run speak of the pods with the new labels."""
    if isinstance(node, list):
        for item in node:
            _relabel(item, labels)
    elif isinstance(node, dict):
        selector = node.get("labelSelector")
        if isinstance(selector, dict) and isinstance(selector.get("matchLabels"), dict):
            selector["matchLabels"] = {key: labels.get(key, value) for key, value in selector["matchLabels"].items()}
        for value in node.values():
            _relabel(value, labels)
