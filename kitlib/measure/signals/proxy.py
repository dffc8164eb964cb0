"""A proxy before goapp's catalog that forgets headers: Traefik, with its routes in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kitlib.kube.client import Object

NAME, PORT, PING = "proxy", 8000, 8080
ARGS = [
    f"--entrypoints.web.address=:{PORT}",
    f"--entrypoints.ping.address=:{PING}",
    "--ping.entrypoint=ping",
    "--providers.file.filename=/etc/routes/routes.yaml",
    "--global.checknewversion=false",
]


def manifests(image: str, *, drops: Sequence[str]) -> list[Object]:
    """Traefik before the catalog, which removes these headers of requests; its configuration is a file, and a new one a rollout."""
    middlewares = {"drop": {"headers": {"customRequestHeaders": dict.fromkeys(drops, "")}}} if drops else {}
    rule = {"rule": "PathPrefix(`/`)", "service": "catalog", "entryPoints": ["web"], "middlewares": list(middlewares)}
    servers = {"loadBalancer": {"servers": [{"url": "http://catalog"}]}}
    routes: dict[str, Any] = {"routers": {"all": rule}, "services": {"catalog": servers}}
    routes |= {"middlewares": middlewares} if middlewares else {}
    labels = _labels(image)
    return [
        _object("v1", "ConfigMap", labels, data={"routes.yaml": json.dumps({"http": routes})}),
        _object("v1", "Service", labels, spec={"selector": _instance(), "ports": [{"port": 80, "targetPort": PORT}]}),
        _object("apps/v1", "Deployment", labels, spec=_deployment(image, labels, ",".join(drops))),
    ]


def _deployment(image: str, labels: Mapping[str, str], drops: str) -> Object:
    container = {
        "name": NAME,
        "image": image,
        "args": ARGS,
        "ports": [{"name": "web", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/ping", "port": PING}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "routes", "mountPath": "/etc/routes"}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "routes", "configMap": {"name": NAME}}],
    }
    template = {"metadata": {"labels": labels, "annotations": {"kit.local/drops": drops}}, "spec": pod}
    return {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": _instance()},
        "template": template,
    }


def _object(version: str, kind: str, labels: Mapping[str, str], **rest: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": NAME, "labels": dict(labels)}, **rest}


def _instance() -> dict[str, str]:
    return {"app.kubernetes.io/instance": NAME}


def _labels(image: str) -> dict[str, str]:
    about = {"name": "traefik", "version": image.rpartition(":")[2], "component": "proxy"}
    return {**_instance(), **{f"app.kubernetes.io/{key}": value for key, value in about.items()}}
