"""One API server: list, apply, delete by identity, watch, logs.

An object is a plain dict, as the API gives it.  Kinds are looked up in the server's discovery, so that custom
resources work like built-in ones.  Every failure is an ApiError.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3.exceptions

from kitlib.errors import ApiError, NamespaceGone
from kitlib.kube import namespaces
from kitlib.kube.connection import APPLY_PATCH, CHUNK, MERGE_PATCH, Connection, StatusError, access, lines
from kitlib.kube.discovery import Catalogue, Resource
from kitlib.masking import redact

Object = dict[str, Any]
MANAGER = "kit"
STRATEGIC = "application/strategic-merge-patch+json"  # merges lists of containers by their names
REQUEST_SECONDS = 30
LOST = (0, 401)  # what a client gets from a cluster that is not there any more: no answer, or that of another one


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
        """The identity of an object that the API server returned."""
        meta = obj["metadata"]
        return cls(obj["apiVersion"], obj["kind"], meta["name"], meta["uid"], meta.get("namespace", ""))

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")

    def __repr__(self) -> str:
        return str(self)


Refs = list[Ref]


@contextmanager
def mapped(doing: str) -> Iterator[None]:
    """Turn the errors of a request into ApiError; NamespaceGone where the server says that the namespace is what is missing."""
    try:
        yield
    except ApiError:
        raise
    except urllib3.exceptions.HTTPError as e:
        raise ApiError(
            f"{doing}: the API server does not answer ({e})", status=0, hint="./kit status, then ./kit up"
        ) from e
    except StatusError as e:
        if lost := namespaces.missing(e.status, e.body):
            raise NamespaceGone(lost) from e
        raise ApiError(f"{doing}: {_reason(e)}", status=e.status, hint=_next_step(e.status)) from e


class Kube:
    """A client bound to one kubeconfig file, never to the ambient one.

    relied_on: names of namespaces.  In these, an answer without objects is checked: when the namespace itself is gone, `get`, `list`,
    `watch` and `states` raise NamespaceGone.  In any other, no object is an answer like others.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.connection = Connection(access(kubeconfig))
        self._catalogue = Catalogue(self.connection)
        self.relied_on: set[str] = set()
        self._bound_by = _text(kubeconfig)

    def _resource(self, kind: str, api_version: str = "") -> Resource:
        """The resource of a kind; api_version only where a kind is not unique.  Raises ApiError (404) for an unknown one."""
        with self._mapped(f"looking up {kind}"):
            found = self._catalogue.find(kind, api_version)
        if found is None:
            raise ApiError(f"no kind is called {kind}", status=404, hint="is its CustomResourceDefinition installed?")
        return found

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """One object, None when it does not exist."""
        resource = self._resource(kind)
        try:
            return self._ask(f"reading {kind}/{name}", "GET", resource.path(namespace, name))
        except ApiError as e:
            if e.status != 404:
                raise
        self._check_relied_on(namespace)
        return None

    def list(self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """Objects of a kind; labels and fields are selectors."""
        items: list[Object] = self._page(self._resource(kind), namespace, labels, fields)["items"]
        self._check_relied_on("" if items else namespace)
        return items

    def apply(
        self, manifests: Iterable[Object], *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Refs:
        """Server-side apply, in the order given; returns what was applied.  labels are added to every object."""
        return [self._apply_one(m, namespace, labels or {}) for m in manifests]

    def _apply_one(self, manifest: Object, namespace: str, labels: Mapping[str, str]) -> Ref:
        meta = manifest["metadata"]
        body = {**manifest, "metadata": {**meta, "labels": {**meta.get("labels", {}), **labels}}}
        path = self._resource(manifest["kind"], manifest["apiVersion"]).path(
            meta.get("namespace") or namespace, meta["name"]
        )
        words = {"fieldManager": MANAGER, "force": "true"}
        doing = f"applying {manifest['kind']}/{meta['name']}"
        return Ref.of(self._ask(doing, "PATCH", path, query=words, body=body, content=APPLY_PATCH))

    def create(
        self, kind: str, namespace: str, body: Object, *, of: str = "", subresource: str = "", dry_run: bool = False
    ) -> Object:
        """Post a new object; returns it.  of, subresource: post to a subresource of an existing object, such as an Eviction of a pod.

        dry_run: admission and validation only.
        """
        path = self._resource(kind).path(namespace, of) + (f"/{subresource}" if subresource else "")
        doing = f"creating {subresource or kind} {of or body['metadata']['name']}"
        return self._ask(doing, "POST", path, query={"dryRun": "All" if dry_run else ""}, body=body)

    def patch(
        self, kind: str, name: str, namespace: str, change: Any, *, subresource: str = "", content: str = MERGE_PATCH
    ) -> Object:
        """Change an object, by default by merging (RFC 7396: null removes a key); content: another kind of patch.  Returns the object."""
        path = self._resource(kind).path(namespace, name) + (f"/{subresource}" if subresource else "")
        query = {"fieldManager": MANAGER}
        return self._ask(f"changing {kind}/{name}", "PATCH", path, query=query, body=change, content=content)

    def delete(self, ref: Ref) -> bool:
        """Ask for this very object to be deleted, and what it owns first; False when it, or this uid, is gone already.

        It can go on existing for a while: `wait.until(..., done=wait.gone)` waits for its end.
        """
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": ref.uid}}
        path = self._resource(ref.kind, ref.api_version).path(ref.namespace, ref.name)
        try:
            self._ask(f"deleting {ref}", "DELETE", path, body=options)
        except ApiError as e:
            if e.status in (404, 409):
                return False
            raise
        return True

    def clear(self, kind: str, namespace: str, *, grace: int | None = None) -> None:
        """Ask for every object of a kind in a namespace to be deleted.  grace: seconds of notice, default: what each object says."""
        options = {"propagationPolicy": "Background", "gracePeriodSeconds": grace}
        path = self._resource(kind).path(namespace)
        self._ask(f"deleting every {kind} in {namespace}", "DELETE", path, body=options)

    def watch(
        self, kind: str, namespace: str = "", *, name: str = "", labels: str = "", seconds: float
    ) -> Iterator[tuple[str, Object]]:
        """(ADDED | MODIFIED | DELETED, object): first what exists, then each change, until `seconds` have passed.

        A watch that the server ends or expires (410 Gone) is resumed from a new list, so that no final state is missed.
        """
        deadline = time.monotonic() + seconds
        fields = f"metadata.name={name}" if name else ""
        resource = self._resource(kind)
        while time.monotonic() < deadline:
            page = self._page(resource, namespace, labels, fields)
            self._check_relied_on("" if page["items"] else namespace)
            yield from (("ADDED", item) for item in page["items"])
            yield from self._changes(resource, namespace, labels, fields, page["metadata"]["resourceVersion"], deadline)

    def states(self, kind: str, name: str, namespace: str = "", *, seconds: float) -> Iterator[Object | None]:
        """One object as it is now and after each change, None when it does not exist, until `seconds` have passed."""
        deadline = time.monotonic() + seconds
        fields = f"metadata.name={name}"
        resource = self._resource(kind)
        while time.monotonic() < deadline:
            page = self._page(resource, namespace, "", fields)
            yield next(iter(page["items"]), None)
            self._check_relied_on("" if page["items"] else namespace)  # only now: a wait for the object's end is over
            version = page["metadata"]["resourceVersion"]
            for change, item in self._changes(resource, namespace, "", fields, version, deadline):
                yield None if change == "DELETED" else item

    def _changes(
        self, resource: Resource, namespace: str, labels: str, fields: str, version: str, deadline: float
    ) -> Iterator[tuple[str, Object]]:
        """Until the deadline, the end of the stream, or 410: the server does not know this version any more."""
        left = max(1, int(deadline - time.monotonic()))
        query = {"labelSelector": labels, "fieldSelector": fields, "resourceVersion": version}
        with self._mapped(f"watching {resource.kind}"):
            for change, item in self.connection.watch(resource.path(namespace), query=query, seconds=left):
                _learn(item)
                yield change, item

    @contextmanager
    def _mapped(self, doing: str) -> Iterator[None]:
        """As `mapped`; a cluster that was made again since then does not answer to this client, and the error says so."""
        try:
            with mapped(doing):
                yield
        except ApiError as e:
            if e.status not in LOST or _text(self.kubeconfig) in (b"", self._bound_by):
                raise
            again = f"{doing}: the cluster was made again after this client was bound to it"
            raise ApiError(again, status=e.status, hint=NamespaceGone.AGAIN) from e

    def check(self, namespace: str) -> None:
        """Raise NamespaceGone when a namespace does not exist, or is being deleted."""
        found = self.get("Namespace", namespace)
        if found is None or namespaces.ending(found):
            raise NamespaceGone(namespace)

    def _check_relied_on(self, namespace: str) -> None:
        if namespace in self.relied_on:
            self.check(namespace)

    def _page(self, resource: Resource, namespace: str, labels: str, fields: str) -> Object:
        query = {"labelSelector": labels, "fieldSelector": fields}
        page = self._ask(f"listing {resource.kind}", "GET", resource.path(namespace), query=query)
        for item in page["items"]:  # the server says once, for the list, what its items are
            item.setdefault("apiVersion", resource.api_version)
            item.setdefault("kind", resource.kind)
            _learn(item)
        return page

    def logs(self, pod: str, namespace: str, *, container: str = "", lines: int = 20, previous: bool = False) -> str:
        """The last lines that a container wrote."""
        path = self._resource("Pod").path(namespace, pod) + "/log"
        query = {"container": container, "tailLines": lines, "previous": str(previous).lower()}
        with self._mapped(f"reading the log of {pod}"):
            answer = self.connection.send("GET", path, query=query, seconds=REQUEST_SECONDS)
            return answer.data.decode(errors="replace")

    def follow(self, pod: str, namespace: str, *, container: str = "", seconds: float) -> Iterator[str]:
        """The lines of a container's log, as they come, until the container ends.  seconds: to wait for each; then it is an ApiError."""
        path = self._resource("Pod").path(namespace, pod) + "/log"
        query = {"container": container, "follow": "true"}
        with self._mapped(f"following the log of {pod}"):
            answer = self.connection.send("GET", path, query=query, seconds=seconds, stream=True)
            try:
                for line in lines(answer.stream(CHUNK)):
                    yield line.decode(errors="replace")
            finally:
                answer.close()  # the unread rest of a stream

    def version(self) -> str:
        """Like v1.37.2."""
        return str(self._ask("asking for the version", "GET", "/version")["gitVersion"])

    def _ask(self, doing: str, method: str, path: str, **how: Any) -> Object:
        """The answer as a dict; the values of Secrets are registered for masking, so that no output can show them."""
        with self._mapped(doing):
            found: Object = self.connection.json(method, path, **how, seconds=REQUEST_SECONDS)
        _learn(found)
        return found


def _text(kubeconfig: Path) -> bytes:
    try:
        return kubeconfig.read_bytes()
    except OSError:
        return b""


def _learn(item: Object) -> None:
    if item.get("kind") == "Secret":
        redact.learn(item.get("data") or {}, name=str(item.get("metadata", {}).get("name", "")))


def _reason(e: StatusError) -> str:
    """The API server's own message; where there is none, the status."""
    try:
        return str(json.loads(e.body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {e.status}"


def _next_step(status: int) -> str:
    steps = {
        401: "the kubeconfig is not this cluster's: ./kit up",
        403: "this is not allowed here",
        422: "look at the manifest",
    }
    return steps.get(status, "./kit status")
