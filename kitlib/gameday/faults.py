"""What can go wrong in the chain gateway → catalog → backend: how it is brought about, what must tell of it, and how it is repaired.

Each is real: goapp misbehaves, or an object of Kubernetes is changed as somebody might change it by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pandas as pd

from kitlib import app, wait
from kitlib.cluster import Space
from kitlib.errors import UsageError
from kitlib.kube import STRATEGIC, Object

LEASE = "5m"  # longer than any game; what is forgotten ends by itself


class Cause(Protocol):
    """How a fault comes and goes."""

    def inject(self, space: Space, service: str) -> None: ...
    def repair(self, space: Space, service: str) -> None: ...
    def present(self, space: Space, service: str) -> bool: ...


@dataclass(frozen=True)
class Program:
    """goapp itself misbehaves: one of its kinds of faults, with its settings."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def inject(self, space: Space, service: str) -> None:
        for pod in _serving(space, service):
            app.inject(space, pod, self.kind, lease=LEASE, **self.settings)

    def repair(self, space: Space, service: str) -> None:
        for pod in _serving(space, service):
            app.heal(space, pod, self.kind)

    def present(self, space: Space, service: str) -> bool:
        answers = [app.ask(space, pod, "/faults").body["faults"] for pod in _serving(space, service)]
        return any(fault["kind"] == self.kind for faults in answers for fault in faults)


@dataclass(frozen=True)
class Rollout:
    """A template with a mistake is rolled out: a variable of the environment, or an annotation; right None: it had none."""

    name: str
    wrong: str
    right: str | None
    where: Literal["env", "annotations"] = "env"

    def inject(self, space: Space, service: str) -> None:
        self._set(space, service, self.wrong)

    def repair(self, space: Space, service: str) -> None:
        self._set(space, service, self.right)
        app.roll_out(space, service)

    def present(self, space: Space, service: str) -> bool:
        template = _object(space, "Deployment", service)["spec"]["template"]
        if self.where == "annotations":
            return bool(template["metadata"]["annotations"].get(self.name) == self.wrong)
        return any(
            (e["name"], e.get("value")) == (self.name, self.wrong) for e in template["spec"]["containers"][0]["env"]
        )

    def _set(self, space: Space, service: str, value: str | None) -> None:
        template: Object = {"metadata": {"annotations": {self.name: value}}}
        if self.where == "env":
            entry = {"name": self.name, **({"$patch": "delete"} if value is None else {"value": value})}
            template = {"spec": {"containers": [{"name": app.NAME, "env": [entry]}]}}
        space.cluster.kube.patch("Deployment", service, space.name, {"spec": {"template": template}}, content=STRATEGIC)


@dataclass(frozen=True)
class Selector:
    """A Service selects what no pod has."""

    label: str
    wrong: str

    def inject(self, space: Space, service: str) -> None:
        self._set(space, service, self.wrong)

    def repair(self, space: Space, service: str) -> None:
        self._set(space, service, None)

    def present(self, space: Space, service: str) -> bool:
        return bool(_object(space, "Service", service)["spec"]["selector"].get(self.label) == self.wrong)

    def _set(self, space: Space, service: str, value: str | None) -> None:
        space.cluster.kube.patch("Service", service, space.name, {"spec": {"selector": {self.label: value}}})


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with one service of the chain.

    words: for who reads a table.  alert: the one that must tell of it; app: whom that alert is about, who need not be at fault.
    told: by what the way from the alert leads to the service: requests (exemplar, trace, lines), or what the alert names itself.
    """

    name: str
    words: str
    service: str
    cause: Cause
    alert: str
    app: str
    told: Literal["requests", "pod", "service", "target"] = "requests"

    def inject(self, space: Space) -> None:
        """Bring it about; returns when it is there, or on its way."""
        self.cause.inject(space, self.service)

    def repair(self, space: Space) -> None:
        """Take it away; returns when what was changed has been rolled out."""
        self.cause.repair(space, self.service)

    def present(self, space: Space) -> bool:
        """Whether it is there now, as the live system shows."""
        return self.cause.present(space, self.service)


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
    """The fault of that name.  Raises UsageError listing what there is."""
    if name not in NAMES:
        raise UsageError(f"no fault is called {name!r}", hint=f"one of {', '.join(NAMES)}")
    return ALL[NAMES.index(name)]


def table() -> pd.DataFrame:
    """All of them: fault, what is wrong, where, and its alert."""
    rows = [(fault.name, fault.words, fault.service, fault.alert) for fault in ALL]
    return pd.DataFrame(rows, columns=["fault", "what is wrong", "where", "alert"])


def _serving(space: Space, service: str) -> list[Object]:
    """Its pods that can be asked: beside them, one of a rollout that went wrong may never be ready."""
    return [pod for pod in app.pods(space, service) if wait.condition("Ready")(pod)]


def _object(space: Space, kind: str, name: str) -> Object:
    found = space.cluster.kube.get(kind, name, space.name)
    if found is None:
        raise UsageError(f"{kind}/{name} is not in {space.name}", hint="is the chain there? chains.start(...)")
    return found
