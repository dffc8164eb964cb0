"""goapp in the cluster: its manifests, its pods and their faults; and learners' own Dockerfiles of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib import paths
from kitlib.cluster import podproxy
from kitlib.cluster.bound import Namespace
from kitlib.engine.client import Engine
from kitlib.errors import ClusterError, UsageError
from kitlib.kube import kustomize, wait
from kitlib.kube.client import Object
from kitlib.kube.connection import Answer
from kitlib.supply import builder, images
from kitlib.workloads import builds
from kitlib.workloads.versions import publish

__all__ = [
    "CHAIN",
    "NAME",
    "PORT",
    "SOURCE",
    "all_treatments",
    "ask",
    "build",
    "chain",
    "heal",
    "inject",
    "manifests",
    "pod",
    "pods",
    "publish",
    "roll_out",
    "rolled_out",
    "selected",
]

NAME = "goapp"  # of every object in cluster/base, of the container, and of its image before one is set
PORT = 8080
SOURCE = paths.ROOT / "goapp"  # the context of its builds
CHAIN = {"gateway": "gateway", "catalog": "middle", "backend": "backend"}  # instance: its place, a treatment


def manifests(
    name: str,
    image: str,
    *,
    replicas: int | None = None,
    treatments: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> list[Object]:
    """Deployment, Service (port 80) and PodDisruptionBudget of an instance, all called `name`, and what treatments add.

    treatments: folders in cluster/components; the later one wins.  replicas: None leaves it to them (base: 1).  env: more of the
    container's environment; it wins over theirs.  Raises UsageError when a treatment does not exist.
    """
    _require(treatments)
    reference = _parts(image)
    version = reference.get("newTag") or reference.get("digest", "sha256:latest").partition(":")[2][:12]
    return kustomize.render(
        {
            "resources": ["base"],
            "components": [f"components/{treatment}" for treatment in treatments],
            "images": [{"name": NAME, **reference}],
            "replicas": [] if replicas is None else [{"name": NAME, "count": replicas}],
            "labels": [
                {"pairs": {"app.kubernetes.io/instance": name}, "includeSelectors": True},
                {"pairs": {"app.kubernetes.io/version": version}, "includeTemplates": True},
            ],
            "patches": [_environment(env or {}), _rename(name)],
        }
    )


def pod(name: str, image: str, *, treatments: Sequence[str] = (), env: Mapping[str, str] | None = None) -> Object:
    """The Deployment's pod without the Deployment: no controller replaces it."""
    rendered = manifests(name, image, treatments=treatments, env=env)
    template = next(m for m in rendered if m["kind"] == "Deployment")["spec"]["template"]
    metadata = {**template["metadata"], "name": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def chain(image: str, *, treatments: Sequence[str] = (), env: Mapping[str, str] | None = None) -> list[Object]:
    """Three instances that call each other: gateway → catalog → backend; treatments and env are applied to each."""
    return [
        manifest
        for name, place in CHAIN.items()
        for manifest in manifests(name, image, treatments=[place, *treatments], env=env)
    ]


def all_treatments() -> list[str]:
    """The names that `treatments` can have: the folders in cluster/components."""
    return sorted(folder.name for folder in (kustomize.CLUSTER / "components").iterdir() if folder.is_dir())


def pods(namespace: Namespace, name: str) -> list[Object]:
    """Pods of an instance that are not being deleted."""
    found = namespace.cluster.kube.list("Pod", namespace.name, labels=f"app.kubernetes.io/instance={name}")
    return [p for p in found if "deletionTimestamp" not in p["metadata"]]


def selected(namespace: Namespace, deployment: Object) -> list[Object]:
    """Pods that a Deployment selects and that are not being deleted, whatever their labels are.  deployment: as the API has it."""
    wanted = deployment["spec"]["selector"]["matchLabels"].items()
    labels = ",".join(f"{key}={value}" for key, value in wanted)
    found = namespace.cluster.kube.list("Pod", namespace.name, labels=labels)
    return [p for p in found if "deletionTimestamp" not in p["metadata"]]


def roll_out(namespace: Namespace, name: str, seconds: float = 120) -> Object:
    """Wait until a Deployment consists of pods of its newest template alone, all available; returns it.  Raises WaitTimeout."""
    found = wait.until(
        namespace.cluster.kube, "Deployment", name, namespace.name, done=rolled_out, what="rolled out", seconds=seconds
    )
    assert found is not None  # rolled_out(None) is False
    return found


def rolled_out(deployment: Object | None) -> bool:
    """For `wait.until`: every replica is of the newest template, and available."""
    if deployment is None:
        return False
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and counts == {wanted}


def ask(
    namespace: Namespace,
    pod: str | Object,
    path: str,
    *,
    method: str = "GET",
    body: Any = None,
    seconds: float = 10,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One HTTP request to a pod, through the API server.  Any status is an answer; no answer is a ClusterError.

    pod: its name, or the object.  body: sent as JSON.
    """
    name = pod if isinstance(pod, str) else pod["metadata"]["name"]
    return podproxy.request(namespace, name, PORT, path, method=method, body=body, seconds=seconds, headers=headers)


def inject(namespace: Namespace, pod: str | Object, kind: str, lease: str = "30s", **settings: Any) -> None:
    """Make a pod faulty until the lease ends or `heal` is called.  goapp's README lists the kinds and their settings.

    Raises ClusterError in goapp's own words when it refuses.
    """
    _must(ask(namespace, pod, f"/faults/{kind}", method="PUT", body={"lease": lease, **settings}), f"fault {kind}")


def heal(namespace: Namespace, pod: str | Object, kind: str) -> None:
    """End a fault before its lease does.  Raises ClusterError in goapp's own words when it refuses."""
    _must(ask(namespace, pod, f"/faults/{kind}", method="DELETE"), f"end of fault {kind}")


def build(engine: Engine, dockerfile: str, tag: str) -> str:
    """Build goapp by a Dockerfile given as text; its ARGs GOLANG, ALPINE, STATIC and DELVE name the kit's bases.  Returns the image id.

    tag: a name below kit.local/, so that it can never be taken for an image from elsewhere.  Raises BuildFailed.
    """
    bases = {
        arg: builder.ensure(engine, [name])[name]
        for arg, name in (("GOLANG", "golang"), ("ALPINE", "alpine"), ("STATIC", "static"), ("DELVE", "delve"))
    }
    with TemporaryDirectory() as tmp:
        file = Path(tmp) / "Dockerfile"
        file.write_text(dockerfile)
        marks = {images.LABEL: tag, **builds.labels(tag.partition(":")[0])}
        return engine.build(SOURCE, f"{images.PREFIX}/{tag}", dockerfile=file, args=bases, labels=marks)


def _require(treatments: Sequence[str]) -> None:
    if unknown := sorted(set(treatments) - set(all_treatments())):
        raise UsageError(f"no treatment {', '.join(unknown)}", hint=f"there are {', '.join(all_treatments())}")


def _parts(image: str) -> dict[str, str]:
    """An image reference as kustomize's `images` has it: newName, newTag, digest."""
    found = re.fullmatch(r"(?P<newName>[^@]+?)(:(?P<newTag>[^:/@]+))?(@(?P<digest>.+))?", image)
    return {k: v for k, v in (found.groupdict() if found else {}).items() if v}


def _environment(env: Mapping[str, str]) -> Object:
    container = {"name": NAME, "env": [{"name": k, "value": v} for k, v in env.items()]}
    patch = {
        "kind": "Deployment",
        "metadata": {"name": NAME},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    return {"patch": json.dumps({"apiVersion": "apps/v1", **patch})}


def _rename(name: str) -> Object:
    """Every object is called `goapp`; references between them follow, which kustomize sees to."""
    operation = {"op": "replace", "path": "/metadata/name", "value": name}
    return {"target": {"name": NAME}, "options": {"allowNameChange": True}, "patch": json.dumps([operation])}


def _must(answer: Answer, doing: str) -> None:
    if answer.status < 400:
        return
    said = answer.body["error"]["message"] if isinstance(answer.body, dict) else answer.body
    raise ClusterError(
        f"{doing}: goapp says {said!r}",
        hint="faults need treatments=['faults']; goapp/README.md lists the kinds and their settings",
    )
