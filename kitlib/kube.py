"""One API server, by the `kubernetes` package's dynamic client: list, apply, delete by identity, watch, logs.

An object is a plain dict, as the API gives it.  Errors of the package become ApiError here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3.exceptions
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError

from kitlib import redact
from kitlib.errors import ApiError

Object = dict[str, Any]
MANAGER = "kit"
REQUEST_SECONDS = 30


@dataclass(frozen=True)
class Ref:
    """An object's identity: a name can be reused, a uid cannot."""

    api_version: str
    kind: str
    name: str
    uid: str
    namespace: str = ""

    @classmethod
    def of(cls, obj: Object) -> Ref:
        meta = obj["metadata"]
        return cls(obj["apiVersion"], obj["kind"], meta["name"], meta["uid"], meta.get("namespace", ""))

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")


Refs = list[Ref]


@contextmanager
def mapped(doing: str) -> Iterator[None]:
    """Turn errors of the kubernetes package into ApiError."""
    try:
        yield
    except (ApiException, DynamicApiError) as e:
        raise ApiError(f"{doing}: {_reason(e)}", status=int(e.status or 0), hint=_next_step(e.status)) from e
    except ResourceNotFoundError as e:
        raise ApiError(f"{doing}: {e}", status=404, hint="is its CustomResourceDefinition installed?") from e
    except urllib3.exceptions.HTTPError as e:
        raise ApiError(
            f"{doing}: the API server does not answer ({e})", status=0, hint="./kit status, then ./kit up"
        ) from e


class Kube:
    """A client bound to one kubeconfig file, never to the ambient one."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.api = config.new_client_from_config(config_file=str(kubeconfig))

    @cached_property
    def _dynamic(self) -> DynamicClient:
        with mapped("reading what the API server offers"):
            return DynamicClient(self.api, cache_file=str(self.kubeconfig.with_suffix(".discovery")))

    def resource(self, kind: str, api_version: str = "") -> Any:
        """The dynamic client's resource for a kind; api_version only where a kind is not unique."""
        with mapped(f"looking up {kind}"):
            found = {"kind": kind} | ({"api_version": api_version} if api_version else {})
            return self._dynamic.resources.get(**found) if api_version else self._preferred(kind)

    def _preferred(self, kind: str) -> Any:
        """Core before groups: Event and others exist in both."""
        candidates = [r for r in self._dynamic.resources.search(kind=kind) if not r.kind.endswith("List")]
        if not candidates:
            raise ResourceNotFoundError(f"no kind is called {kind}")
        return min(candidates, key=lambda r: (r.group not in ("", None), not r.preferred))

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """One object, None when it does not exist."""
        try:
            with mapped(f"reading {kind}/{name}"):
                return _plain(
                    self.resource(kind).get(name=name, namespace=namespace or None, _request_timeout=REQUEST_SECONDS)
                )
        except ApiError as e:
            if e.status == 404:
                return None
            raise

    def list(self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """Objects of a kind; labels and fields are selectors."""
        items: list[Object] = self._page(self.resource(kind), namespace, labels, fields)["items"]
        return items

    def apply(
        self, manifests: Iterable[Object], *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Refs:
        """Server-side apply, in the order given; returns what was applied.  labels are added to every object."""
        return [self._apply_one(m, namespace, labels or {}) for m in manifests]

    def _apply_one(self, manifest: Object, namespace: str, labels: Mapping[str, str]) -> Ref:
        meta = manifest["metadata"]
        body = {**manifest, "metadata": {**meta, "labels": {**meta.get("labels", {}), **labels}}}
        resource = self.resource(manifest["kind"], manifest["apiVersion"])
        where = (meta.get("namespace") or namespace or None) if resource.namespaced else None
        with mapped(f"applying {manifest['kind']}/{meta['name']}"):
            applied = resource.server_side_apply(
                body, name=meta["name"], namespace=where, field_manager=MANAGER, force_conflicts=True
            )
        return Ref.of(_plain(applied))

    def delete(self, ref: Ref) -> bool:
        """Ask for this very object to be deleted, and what it owns first; False when it, or this uid, is gone already.

        It can go on existing for a while: `wait.until(..., done=wait.gone)` waits for its end.
        """
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": ref.uid}}
        try:
            with mapped(f"deleting {ref}"):
                self.resource(ref.kind, ref.api_version).delete(
                    name=ref.name, namespace=ref.namespace or None, body=options
                )
        except ApiError as e:
            if e.status in (404, 409):
                return False
            raise
        return True

    def watch(
        self, kind: str, namespace: str = "", *, name: str = "", labels: str = "", seconds: float
    ) -> Iterator[tuple[str, Object]]:
        """(ADDED | MODIFIED | DELETED, object): first what exists, then each change, until `seconds` have passed.

        A watch that the server ends or expires (410 Gone) is resumed from a new list, so that no final state is missed.
        """
        deadline = time.monotonic() + seconds
        fields = f"metadata.name={name}" if name else ""
        resource = self.resource(kind)
        while time.monotonic() < deadline:
            page = self._page(resource, namespace, labels, fields)
            yield from (("ADDED", item) for item in page["items"])
            yield from self._changes(resource, namespace, labels, fields, page["metadata"]["resourceVersion"], deadline)

    def _changes(
        self, resource: Any, namespace: str, labels: str, fields: str, version: str, deadline: float
    ) -> Iterator[tuple[str, Object]]:
        left = max(1, int(deadline - time.monotonic()))
        stream = resource.watch(
            namespace=namespace or None,
            label_selector=labels or None,
            field_selector=fields or None,
            resource_version=version,
            timeout=left,
        )
        try:
            with mapped(f"watching {resource.kind}"):
                for event in stream:
                    _learn(event["raw_object"])
                    yield event["type"], event["raw_object"]
        except ApiError as e:
            if e.status != 410:
                raise

    def _page(self, resource: Any, namespace: str, labels: str, fields: str) -> Object:
        with mapped(f"listing {resource.kind}"):
            return _plain(
                resource.get(
                    namespace=namespace or None,
                    label_selector=labels or None,
                    field_selector=fields or None,
                    _request_timeout=REQUEST_SECONDS,
                )
            )

    def logs(self, pod: str, namespace: str, *, container: str = "", lines: int = 20, previous: bool = False) -> str:
        """The last lines that a container wrote."""
        with mapped(f"reading the log of {pod}"):
            return str(
                client.CoreV1Api(self.api).read_namespaced_pod_log(
                    pod,
                    namespace,
                    container=container or None,
                    tail_lines=lines,
                    previous=previous,
                    _request_timeout=REQUEST_SECONDS,
                )
            )

    def version(self) -> str:
        """Like v1.37.2."""
        with mapped("asking for the version"):
            return str(client.VersionApi(self.api).get_code(_request_timeout=REQUEST_SECONDS).git_version)


def _plain(instance: Any) -> Object:
    """An object or a list as a dict; the values of Secrets are learned, so that no output can show them."""
    found: Object = instance.to_dict()
    for item in found.get("items") or [found]:
        _learn(item)
    return found


def _learn(item: Object) -> None:
    if item.get("kind") == "Secret":
        redact.learn(item.get("data") or {})


def _reason(e: Any) -> str:
    """The API server's own message, which the package leaves in the body."""
    try:
        return str(yaml.safe_load(e.body)["message"])
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return f"{e.status} {e.reason}"


def _next_step(status: Any) -> str:
    steps = {
        401: "the kubeconfig is not this cluster's: ./kit up",
        403: "this is not allowed here",
        422: "look at the manifest",
    }
    return steps.get(status, "./kit status")
