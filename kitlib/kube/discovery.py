"""An API server's kinds, and the paths of their objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kitlib.kube.connection import Connection

# Aggregated discovery: everything in two answers (Kubernetes 1.30 and later)
ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SECONDS = 30


@dataclass(frozen=True)
class Resource:
    """One kind in one version, as /api or /apis lists it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """Of one object, or without a name of all; without a namespace of all namespaces."""
        root = "/apis" if "/" in self.api_version else "/api"
        within = ["namespaces", namespace] if self.namespaced and namespace else []
        return "/".join([root, self.api_version, *within, self.plural, *([name] if name else [])])


class Catalogue:
    """Every resource of one server; read at first use, and again when a kind is missing (new CRDs)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: list[Resource] = []

    def find(self, kind: str, api_version: str = "") -> Resource | None:
        """The resource of a kind, None when there is none.  Where several groups have it: core first, then the server's order."""
        found = self._find(kind, api_version)
        if found is None:
            self._known = [r for root in ("/api", "/apis") for r in _resources(self._read(root))]
            found = self._find(kind, api_version)
        return found

    def _find(self, kind: str, api_version: str) -> Resource | None:
        return next((r for r in self._known if r.kind == kind and api_version in ("", r.api_version)), None)

    def _read(self, root: str) -> Any:
        return self._connection.json("GET", root, accept=ACCEPT, seconds=SECONDS)


def _resources(answer: Any) -> Iterator[Resource]:
    for group in answer["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            api_version = f"{name}/{version['version']}" if name else version["version"]
            for r in version.get("resources", ()):
                yield Resource(api_version, r["responseKind"]["kind"], r["resource"], r["scope"] == "Namespaced")
