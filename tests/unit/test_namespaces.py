"""A namespace that is gone is an error at once, whatever was asked; where no chapter relies on it, an empty answer is an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ApiError, NamespaceGone, WaitTimeout
from kitlib.exercises import place
from kitlib.host.identity import LABEL
from kitlib.kube import client, namespaces, wait
from kitlib.kube.client import Kube
from kitlib.kube.connection import StatusError

MARK = "0123456789abcdef"
KINDS = {"Namespace": ("namespaces", "Cluster"), "Pod": ("pods", "Namespaced")}


def refusal(status: int, **details: Any) -> StatusError:
    return StatusError(status, json.dumps({"message": "refused", "details": details}).encode())


def no_namespace(name: str) -> StatusError:
    return refusal(404, kind="namespaces", name=name)


def terminating(name: str) -> StatusError:
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {name} is being terminated",
        "field": "metadata.namespace",
    }
    return refusal(403, kind="pods", name="p", causes=[cause])


class Server:
    """Stands for the connection to an API server that has the namespaces of `there` and the pods of `pods`."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}
        self.pods: list[dict[str, Any]] = []
        self.refuses: StatusError | None = None
        self.asked: list[str] = []

    def json(self, method: str, path: str, **_: Any) -> Any:
        self.asked.append(f"{method} {path}")
        if path in ("/api", "/apis"):
            resources = _resources() if path == "/api" else []
            return {"items": [{"metadata": {}, "versions": [{"version": "v1", "resources": resources}]}]}
        if self.refuses and (method == "PATCH" or self.refuses.status in client.LOST):
            raise self.refuses
        rest = path.split("/")[3:]
        if rest[0] == "namespaces" and len(rest) == 2:
            if rest[1] not in self.there:
                raise no_namespace(rest[1])
            return self.there[rest[1]]
        if len(rest) == 4:
            raise refusal(404, kind="pods", name=rest[3])
        return {"items": self.pods, "metadata": {"resourceVersion": "1"}}

    def watch(self, *_: Any, **__: Any) -> list[Any]:
        return []


def _resources() -> list[dict[str, Any]]:
    return [
        {"resource": plural, "scope": scope, "responseKind": {"kind": kind}} for kind, (plural, scope) in KINDS.items()
    ]


def a_namespace(name: str, **meta: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": f"uid-{name}", **meta}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr(client, "access", lambda _: None)
    monkeypatch.setattr(client, "Connection", lambda _: made)
    return made


@pytest.fixture
def kube(server: Server) -> Kube:  # noqa: ARG001
    return Kube(Path("nowhere"))


@pytest.fixture
def cluster(kube: Kube) -> Cluster:
    return cast(Cluster, SimpleNamespace(kube=kube, identity=SimpleNamespace(mark=MARK)))


ASKED: dict[str, Callable[[Kube], object]] = {
    "get": lambda kube: kube.get("Pod", "p", "kit-shop"),
    "list": lambda kube: kube.list("Pod", "kit-shop"),
    "watch": lambda kube: next(kube.watch("Pod", "kit-shop", seconds=0.05), None),
    "states": lambda kube: [found for found in kube.states("Pod", "p", "kit-shop", seconds=0.05) if found],
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_an_empty_answer_from_a_namespace_that_is_gone_is_an_error(ask: Callable[[Kube], object], kube: Kube) -> None:
    """The error names the namespace, and says which cell to run."""
    kube.relied_on.add("kit-shop")

    with pytest.raises(NamespaceGone, match="namespace kit-shop is not there any more") as caught:
        ask(kube)

    assert "Bind" in caught.value.hint


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_namespace_that_is_being_deleted_counts_as_gone(
    ask: Callable[[Kube], object], kube: Kube, server: Server
) -> None:
    """Nothing can appear in it any more."""
    kube.relied_on.add("kit-shop")
    server.there["kit-shop"] = a_namespace("kit-shop", deletionTimestamp="2026-01-01T00:00:00Z")

    with pytest.raises(NamespaceGone):
        ask(kube)


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_no_object_is_an_answer_where_the_namespace_exists(
    ask: Callable[[Kube], object], kube: Kube, server: Server
) -> None:
    """No pod in a namespace that is there: None, or an empty list."""
    kube.relied_on.add("kit-shop")
    server.there["kit-shop"] = a_namespace("kit-shop")

    assert not ask(kube)


def test_a_namespace_that_was_not_bound_is_not_checked(kube: Kube, server: Server) -> None:
    """Whether anything is left of a namespace can be asked after it is gone, and costs no second request."""
    assert kube.list("Pod", "kit-shop") == []
    assert [asked for asked in server.asked if asked.endswith("/namespaces/kit-shop")] == []


def test_objects_are_not_checked(kube: Kube, server: Server) -> None:
    """A list that has objects is one request, as before: chapters measure with it."""
    kube.relied_on.add("kit-shop")
    server.pods = [{"metadata": {"name": "p"}}]
    kube.list("Pod", "kit-shop")

    assert server.asked == ["GET /api", "GET /apis", "GET /api/v1/namespaces/kit-shop/pods"]


def test_a_wait_in_a_namespace_that_is_gone_ends_at_once(kube: Kube) -> None:
    """Not after its deadline, and also when the client does not rely on the namespace."""
    with pytest.raises(NamespaceGone):
        wait.until(kube, "Pod", "p", "kit-shop", done=wait.exists, what="there", seconds=600)


def test_a_wait_for_the_end_of_an_object_does_not_need_its_namespace(kube: Kube) -> None:
    """What is gone with its namespace is gone, also where the client relies on it."""
    kube.relied_on.add("kit-shop")

    assert wait.until(kube, "Pod", "p", "kit-shop", done=wait.gone, what="gone", seconds=600) is None


def test_a_wait_in_a_namespace_that_exists_ends_at_its_deadline(kube: Kube, server: Server) -> None:
    """The error of a wait stays what it was."""
    server.there["kit-shop"] = a_namespace("kit-shop")

    with pytest.raises(WaitTimeout):
        wait.until(kube, "Pod", "p", "kit-shop", done=wait.exists, what="there", seconds=0.05)


@pytest.mark.parametrize("refuses", [no_namespace("kit-shop"), terminating("kit-shop")], ids=["gone", "ending"])
def test_a_write_says_that_the_namespace_is_gone(refuses: StatusError, cluster: Cluster, server: Server) -> None:
    """`namespace.apply` in a namespace that does not exist, or ends: not the server's words about an object."""
    namespace = Namespace.of(cluster, a_namespace("kit-shop"))
    server.refuses = refuses

    with pytest.raises(NamespaceGone, match="namespace kit-shop is not there any more"):
        namespace.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})


@pytest.mark.parametrize(
    "refuses",
    [
        refusal(403, kind="pods", name="p"),
        refusal(403, kind="pods", name="p", causes=[{"reason": "FieldValueInvalid", "message": "no"}]),
        refusal(404, kind="pods", name="p"),
        StatusError(404, b"404 page not found"),
        StatusError(403, b"[]"),
    ],
    ids=lambda e: f"{e.status} {e.body[:40]!r}",
)
def test_other_refusals_stay_what_they_are(refuses: StatusError) -> None:
    """Admission, and an object that is not there, are no matter of the namespace."""
    assert namespaces.missing(refuses.status, refuses.body) == ""
    with pytest.raises(ApiError) as caught, client.mapped("testing"):
        raise refuses
    assert not isinstance(caught.value, NamespaceGone)


def test_a_namespace_that_does_not_exist_can_be_asked_for(kube: Kube) -> None:
    """Its absence is the answer."""
    assert kube.get("Namespace", "kit-shop") is None


def test_a_namespace_is_relied_on_from_find_to_undo(cluster: Cluster, server: Server) -> None:
    """After `undo`, an empty list is what a chapter looks for."""
    server.there["kit-shop"] = a_namespace("kit-shop", labels={LABEL: MARK})
    namespace = Namespace.find(cluster, "shop")
    assert namespace is not None
    assert "kit-shop" in cluster.kube.relied_on
    server.there.clear()
    namespace.undo()

    assert cluster.kube.list("Pod", "kit-shop") == []


def test_an_exercise_uses_a_namespace_that_kubectl_made(cluster: Cluster, server: Server) -> None:
    """It has no mark of the kit, and a new uid; the name is what counts."""
    server.there["kit-shop"] = a_namespace("kit-shop")
    namespace = place.find(cluster, "shop")

    assert namespace is not None
    assert cluster.kube.list("Pod", namespace.name) == []


def test_a_cluster_that_was_made_again_is_not_taken_for_one_that_does_not_answer(
    tmp_path: Path, server: Server
) -> None:
    """The kubeconfig is another one than the client was bound by: a new client is needed, not a repair."""
    file = tmp_path / "kubeconfig"
    file.write_text("the first cluster's")
    kube = Kube(file)
    kube.list("Pod", "kit-shop")
    server.refuses = StatusError(401, b"")

    with pytest.raises(ApiError, match="status 401"):
        kube.list("Pod", "kit-shop")
    file.write_text("the second cluster's")
    with pytest.raises(ApiError, match="the cluster was made again") as caught:
        kube.list("Pod", "kit-shop")
    assert "Bind" in caught.value.hint
