"""Applying, waiting and undoing on the real API server."""

import pytest

from kitlib.cluster.bound import Namespace
from kitlib.errors import ApiError, WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.workloads import app

SIX = {f"app.kubernetes.io/{part}" for part in ("name", "instance", "version", "component", "part-of", "managed-by")}


def _note(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_apply_is_idempotent(namespace: Namespace) -> None:
    """Applying the same object twice gives the same object, with the kit's labels."""
    first = namespace.apply(_note("a", key="1"))
    again = namespace.apply(_note("a", key="2"))
    found = namespace.cluster.kube.get("ConfigMap", "a", namespace.name)

    assert first == again
    assert found and found["data"] == {"key": "2"}
    assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "kit"


def test_undo_deletes_by_identity_not_by_name(namespace: Namespace) -> None:
    """An object that took the name of one the kit made is not the kit's to delete."""
    kube = namespace.cluster.kube
    (old,) = namespace.apply(_note("a"))
    kube.delete(old)
    wait.until(kube, "ConfigMap", "a", namespace.name, done=wait.gone, what="gone")
    (new,) = namespace.apply(_note("a"))

    assert not kube.delete(old)
    assert (kube.get("ConfigMap", "a", namespace.name) or {})["metadata"]["uid"] == new.uid
    assert kube.delete(new)


def test_a_wait_ends_with_the_event(namespace: Namespace) -> None:
    """A pod that becomes ready ends the wait, and carries all six recommended labels."""
    namespace.apply(app.pod("good", namespace.cluster.image("goapp-distroless"), treatments=["quick-exit"]))
    pod = wait.until(namespace.cluster.kube, "Pod", "good", namespace.name, done=wait.condition("Ready"), what="ready")

    assert pod and pod["metadata"]["labels"].keys() >= SIX


def test_a_wait_that_fails_says_what_it_saw(namespace: Namespace) -> None:
    """After the deadline the error quotes the container's reason and the event behind it."""
    namespace.apply(app.pod("bad", "kit.local/no-such-image:1"))

    with pytest.raises(WaitTimeout) as caught:
        wait.until(
            namespace.cluster.kube, "Pod", "bad", namespace.name, done=wait.condition("Ready"), what="ready", seconds=8
        )

    seen = "\n".join(caught.value.observed)
    assert "Image" in seen
    assert "no-such-image" in seen


def test_a_crash_is_quoted_with_its_log(namespace: Namespace) -> None:
    """A program that ends with an error is shown with what it wrote."""
    pod = app.pod("crash", namespace.cluster.image("goapp-distroless"))
    pod["spec"]["containers"][0]["args"] = ["-no-such-flag"]
    namespace.apply(pod)

    with pytest.raises(WaitTimeout) as caught:
        wait.until(
            namespace.cluster.kube,
            "Pod",
            "crash",
            namespace.name,
            done=wait.condition("Ready"),
            what="ready",
            seconds=8,
        )

    assert "no-such-flag" in "\n".join(caught.value.observed)


def test_a_refused_object_names_the_reason(namespace: Namespace) -> None:
    """What the API server refuses is an ApiError with its status and its own words."""
    with pytest.raises(ApiError) as caught:
        namespace.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "empty"}, "spec": {"containers": []}})

    assert caught.value.status == 422
    assert "spec.containers" in caught.value.message


def test_an_unknown_kind_is_a_clear_error(namespace: Namespace) -> None:
    """A kind that the API does not have is named."""
    with pytest.raises(ApiError, match="Sandwich"):
        namespace.cluster.kube.list("Sandwich")
