"""The way to an application as Kubernetes objects: Services, Ingress with or without ingress-nginx's annotations, HTTPRoute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from kitlib.kube.client import Object

Rewrite = Literal["prefix", "path"]

NGINX = "nginx.ingress.kubernetes.io"
PLAIN, ANNOTATED = "kit-traefik", "kit-nginx"  # classes in cluster/stacks/ingress
GATEWAY = {"name": "kit", "namespace": "kit-ingress"}
ADDRESS = "traefik.kit-ingress"  # in the cluster's DNS
ANY = "any.example"  # a host for a rule that names none
PORT = 80  # of every Service of goapp


def ingress(
    name: str, host: str, paths: Mapping[str, str], *, annotations: Mapping[str, str] | None = None, tls: str = ""
) -> Object:
    """An Ingress: paths (prefixes) of a host to Services.

    annotations: ingress-nginx's, without their domain; `use-regex` makes the paths regular expressions.  tls: the Secret with the
    host's certificate.
    """
    words = {f"{NGINX}/{key}": value for key, value in (annotations or {}).items()}
    kind = "ImplementationSpecific" if "use-regex" in (annotations or {}) else "Prefix"
    backends = [
        {"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"number": PORT}}}}
        for path, service in paths.items()
    ]
    spec: Object = {
        "ingressClassName": ANNOTATED if words else PLAIN,
        "rules": [{"host": host, "http": {"paths": backends}}],
    }
    spec |= {"tls": [{"hosts": [host], "secretName": tls}]} if tls else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "labels": _labels(name), "annotations": words},
        "spec": spec,
    }


def http_route(name: str, host: str, paths: Mapping[str, str], *, rewrite: Rewrite | None = None) -> Object:
    """An HTTPRoute on the kit's Gateway: paths (prefixes) of a host to Services.

    rewrite: `prefix` takes the prefix away, `path` puts the root in place of the whole path.
    """
    filters = {"filters": [_rewrite(rewrite)]} if rewrite else {}
    rules = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": path}}],
            "backendRefs": [{"name": service, "port": PORT}],
            **filters,
        }
        for path, service in paths.items()
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {"parentRefs": [GATEWAY], "hostnames": [host], "rules": rules},
    }


def service(name: str, instance: str, **spec: Any) -> Object:
    """A Service of an instance of goapp; spec: more of its spec, such as clusterIP or sessionAffinity."""
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {"selector": {"app.kubernetes.io/instance": instance}, "ports": ports, **spec},
    }


def alias(name: str) -> Object:
    """A name in the namespace's DNS for Traefik, so that a client in the cluster reaches it with this name as the host."""
    spec = {"type": "ExternalName", "externalName": f"{ADDRESS}.svc.cluster.local"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": _labels(name)}, "spec": spec}


def entrance(rule: Object) -> tuple[str, str]:
    """A host and a path that a rule is meant for: its first, without the groups of a regular expression.

    A rule without a host is for all of them, and one without a path for `/`.
    """
    spec = rule["spec"]
    first = (spec.get("rules") or [{}])[0]
    if rule["kind"] == "Ingress":
        host, path = first.get("host"), (first.get("http") or {"paths": [{}]})["paths"][0].get("path")
    else:
        host = (spec.get("hostnames") or [""])[0]
        path = ((first.get("matches") or [{}])[0].get("path") or {}).get("value")
    return str(host or ANY).replace("*", "any"), str(path or "/").partition("(")[0]


def _rewrite(what: Rewrite) -> Object:
    path = (
        {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
        if what == "prefix"
        else {"type": "ReplaceFullPath", "replaceFullPath": "/"}
    )
    return {"type": "URLRewrite", "urlRewrite": {"path": path}}


def _labels(name: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "route",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/version": "1",
        "app.kubernetes.io/component": "ingress",
    }
