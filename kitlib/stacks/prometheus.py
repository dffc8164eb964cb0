"""A separate Prometheus in a namespace, with any configuration: the stack's workload, without its permissions."""

from __future__ import annotations

import hashlib

from kitlib.cluster.bound import Namespace
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.stacks import base
from kitlib.telemetry.metrics import Metrics

NAME = "prometheus"
WORKLOAD = base.Stack("metrics/prometheus", images=(NAME,))  # the part of the stack that is taken


def start(namespace: Namespace, configuration: str, rules: str = "groups: []\n") -> Metrics:
    """Start it, or replace the existing one; returns when it answers.

    configuration: of prometheus.yml; it may name rules.yml, whose text `rules` is.  It has no service account, so that it can only
    scrape addresses that the configuration lists.  Raises WaitTimeout when it refuses them.
    """
    namespace.apply(*manifests(namespace, configuration, rules))
    kube, ready = namespace.cluster.kube, base.READY["StatefulSet"]
    wait.until(kube, "StatefulSet", NAME, namespace.name, done=ready, what="ready")
    return Metrics(namespace)


def manifests(namespace: Namespace, configuration: str, rules: str) -> list[Object]:
    """Its configuration and its StatefulSet.  The ConfigMap's name depends on its text, so that another text gives another pod."""
    rendered = base.render(namespace.cluster, WORKLOAD)
    stateful = next(m for m in rendered if m["kind"] == "StatefulSet")
    name = f"{NAME}-{hashlib.sha256((configuration + rules).encode()).hexdigest()[:8]}"
    stateful["metadata"].pop("namespace")
    spec = stateful["spec"]["template"]["spec"]
    spec.pop("serviceAccountName")
    spec["automountServiceAccountToken"] = False
    next(v for v in spec["volumes"] if v["name"] == "config")["configMap"]["name"] = name
    data = {"prometheus.yml": configuration, "rules.yml": rules}
    metadata = {"name": name, "labels": stateful["metadata"]["labels"]}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, stateful]
