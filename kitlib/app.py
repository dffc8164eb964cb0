"""goapp as Kubernetes objects, and learners' own Dockerfiles of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from kitlib import images, paths
from kitlib.engine import Engine
from kitlib.kube import Object

PORT = 8080
USER = 65532


def pod(name: str, image: str) -> Object:
    """goapp as a pod that passes Pod Security `restricted`, its readiness probed every second."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels(name, image)},
        "spec": _spec(image),
    }


def deployment(name: str, image: str, replicas: int = 1) -> Object:
    """goapp as a Deployment of such pods."""
    marks = labels(name, image)
    select = {"app.kubernetes.io/instance": name}
    template = {"metadata": {"labels": marks}, "spec": _spec(image)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": marks},
        "spec": {"replicas": replicas, "selector": {"matchLabels": select}, "template": template},
    }


def labels(instance: str, image: str) -> dict[str, str]:
    """All six recommended labels (kubernetes.io, Recommended Labels)."""
    return {
        "app.kubernetes.io/name": "goapp",
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/version": image.rpartition(":")[2],
        "app.kubernetes.io/component": "catalog",
        "app.kubernetes.io/part-of": "cloudnative-go-kit",
        "app.kubernetes.io/managed-by": "kit",
    }


def build(engine: Engine, dockerfile: str, tag: str) -> str:
    """Build goapp by a Dockerfile given as text; its ARGs GOLANG, ALPINE and STATIC name the kit's bases.  Returns the image id.

    tag: a name below kit.local/, so that it can never be taken for an image from elsewhere.  Raises BuildFailed.
    """
    bases = {
        arg: images.ensure(engine, [name])[name]
        for arg, name in (("GOLANG", "golang"), ("ALPINE", "alpine"), ("STATIC", "static"))
    }
    with TemporaryDirectory() as tmp:
        file = Path(tmp) / "Dockerfile"
        file.write_text(dockerfile)
        return engine.build(
            paths.ROOT / "goapp", f"{images.PREFIX}/{tag}", dockerfile=file, args=bases, labels={images.LABEL: tag}
        )


def _spec(image: str) -> Object:
    container = {
        "name": "goapp",
        "image": image,
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "containers": [container],
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 5,
        "automountServiceAccountToken": False,
    }
