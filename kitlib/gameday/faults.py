"""Faults of the chain gateway → catalog → backend: how each one is injected, which alert must report it, and how it is repaired.

Each is real: goapp misbehaves, or an object of Kubernetes is changed as a user might change it by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import UsageError
from kitlib.kube import wait
from kitlib.kube.client import STRATEGIC, Object
from kitlib.workloads import app

LEASE = "5m"  # longer than any game; a forgotten fault ends by itself


class Cause(Protocol):
    """How a fault is injected and repaired."""

    def inject(self, namespace: Namespace, service: str) -> None:
        """Inject the fault into one service of the namespace."""

    def repair(self, namespace: Namespace, service: str) -> None:
        """Remove the fault, and return once the change has been rolled out."""

    def present(self, namespace: Namespace, service: str) -> bool:
        """Whether the live system shows the fault."""


@dataclass(frozen=True)
class Program:
    """goapp itself misbehaves: one of its kinds of faults, with its settings."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def inject(self, namespace: Namespace, service: str) -> None:
        """Tell each ready pod of the service to misbehave until `LEASE` is over."""
        for pod in _serving(namespace, service):
            app.inject(namespace, pod, self.kind, lease=LEASE, **self.settings)

    def repair(self, namespace: Namespace, service: str) -> None:
        """Tell each ready pod of the service to stop misbehaving."""
        for pod in _serving(namespace, service):
            app.heal(namespace, pod, self.kind)

    def present(self, namespace: Namespace, service: str) -> bool:
        """Whether any ready pod of the service lists the fault as active."""
        answers = [app.ask(namespace, pod, "/faults").body["faults"] for pod in _serving(namespace, service)]
        return any(fault["kind"] == self.kind for faults in answers for fault in faults)


@dataclass(frozen=True)
class Rollout:
    """A template with a mistake is rolled out: an environment variable, or an annotation; right None: the template has no such entry."""

    name: str
    wrong: str
    right: str | None
    where: Literal["env", "annotations"] = "env"

    def inject(self, namespace: Namespace, service: str) -> None:
        """Write the wrong value into the Deployment's template, which starts a rollout."""
        self._set(namespace, service, self.wrong)

    def repair(self, namespace: Namespace, service: str) -> None:
        """Write the right value into the Deployment's template, and wait until it is rolled out."""
        self._set(namespace, service, self.right)
        app.roll_out(namespace, service)

    def present(self, namespace: Namespace, service: str) -> bool:
        """Whether the Deployment's template has the wrong value."""
        template = _object(namespace, "Deployment", service)["spec"]["template"]
        if self.where == "annotations":
            return bool(template["metadata"]["annotations"].get(self.name) == self.wrong)
        return any(
            (e["name"], e.get("value")) == (self.name, self.wrong) for e in template["spec"]["containers"][0]["env"]
        )

    def _set(self, namespace: Namespace, service: str, value: str | None) -> None:
        template: Object = {"metadata": {"annotations": {self.name: value}}}
        if self.where == "env":
            entry = {"name": self.name, **({"$patch": "delete"} if value is None else {"value": value})}
            template = {"spec": {"containers": [{"name": app.NAME, "env": [entry]}]}}
        namespace.cluster.kube.patch(
            "Deployment", service, namespace.name, {"spec": {"template": template}}, content=STRATEGIC
        )


@dataclass(frozen=True)
class Selector:
    """A Service selects a label value that no pod has."""

    label: str
    wrong: str

    def inject(self, namespace: Namespace, service: str) -> None:
        """Add a label that no pod has to the Service's selector."""
        self._set(namespace, service, self.wrong)

    def repair(self, namespace: Namespace, service: str) -> None:
        """Remove that label from the Service's selector."""
        self._set(namespace, service, None)

    def present(self, namespace: Namespace, service: str) -> bool:
        """Whether the Service's selector asks for that label."""
        return bool(_object(namespace, "Service", service)["spec"]["selector"].get(self.label) == self.wrong)

    def _set(self, namespace: Namespace, service: str, value: str | None) -> None:
        namespace.cluster.kube.patch("Service", service, namespace.name, {"spec": {"selector": {self.label: value}}})


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with one service of the chain.

    words: for readers of a table.  alert: the one that must report it; app: the service in that alert, which need not be at fault.
    told: how the alert leads to the service at fault: by requests (exemplar, trace, lines), or by what the alert itself names.
    """

    name: str
    words: str
    service: str
    cause: Cause
    alert: str
    app: str
    told: Literal["requests", "pod", "service", "target"] = "requests"

    def inject(self, namespace: Namespace) -> None:
        """Inject the fault; returns when it has begun, or its rollout has."""
        self.cause.inject(namespace, self.service)

    def repair(self, namespace: Namespace) -> None:
        """Remove the fault; returns when the change has been rolled out."""
        self.cause.repair(namespace, self.service)

    def present(self, namespace: Namespace) -> bool:
        """Whether the live system shows the fault now."""
        return self.cause.present(namespace, self.service)


ALL = (
    Fault(
        "errors",
        "half of the backend's answers are errors",
        "backend",
        Program("error", {"rate": 0.5}),
        "HighErrorRate",
        "backend",
    ),
    Fault(
        "delay",
        "catalog takes 0.8 s longer for each request",
        "catalog",
        Program("delay", {"duration": "800ms"}),
        "HighLatency",
        "catalog",
    ),
    Fault("hang", "the backend holds every request", "backend", Program("hang"), "DownstreamSlow", "gateway"),
    Fault(
        "wrong address",
        "catalog is rolled out with a name that does not exist",
        "catalog",
        Rollout("CATALOG_DOWNSTREAM", "http://backnd", "http://backend"),
        "DownstreamFailed",
        "catalog",
    ),
    Fault(
        "leak",
        "the backend takes more and more memory",
        "backend",
        Program("leak", {"mib_per_second": 3}),
        "MemoryNearLimit",
        "backend",
        "pod",
    ),
    Fault(
        "crash loop",
        "catalog is rolled out with a setting that it refuses",
        "catalog",
        Rollout("CATALOG_MAX_ITEMS", "many", None),
        "CrashLooping",
        "",
        "pod",
    ),
    Fault(
        "selector",
        "the gateway's Service selects no pod",
        "gateway",
        Selector("app.kubernetes.io/component", "front"),
        "NoEndpoints",
        "gateway",
        "service",
    ),
    Fault(
        "unscraped",
        "the backend is rolled out with a path that has no metrics",
        "backend",
        Rollout("prometheus.io/path", "/actuator/prometheus", "/metrics", "annotations"),
        "TargetDown",
        "backend",
        "target",
    ),
)
NAMES = tuple(fault.name for fault in ALL)


def named(name: str) -> Fault:
    """The fault of that name.  Raises UsageError with the list of all faults."""
    if name not in NAMES:
        raise UsageError(f"no fault is called {name!r}", hint=f"one of {', '.join(NAMES)}")
    return ALL[NAMES.index(name)]


def table() -> pd.DataFrame:
    """All of them: fault, what is wrong, where, and its alert."""
    rows = [(fault.name, fault.words, fault.service, fault.alert) for fault in ALL]
    return pd.DataFrame(rows, columns=["fault", "what is wrong", "where", "alert"])


def _serving(namespace: Namespace, service: str) -> list[Object]:
    """The service's ready pods; a pod of a failed rollout may never be ready."""
    return [pod for pod in app.pods(namespace, service) if wait.condition("Ready")(pod)]


def _object(namespace: Namespace, kind: str, name: str) -> Object:
    found = namespace.cluster.kube.get(kind, name, namespace.name)
    if found is None:
        raise UsageError(
            f"{kind}/{name} is not in {namespace.name}",
            hint="does the chain exist? kit.gameday.chains.apply(cluster, [fault])",
        )
    return found
