"""Applying, waiting and undoing on the real API server."""

import pytest

from kitlib import app, wait
from kitlib.cluster import Space
from kitlib.errors import ApiError, WaitTimeout
from kitlib.kube import Object

SIX = {f"app.kubernetes.io/{part}" for part in ("name", "instance", "version", "component", "part-of", "managed-by")}


def _note(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_apply_is_idempotent(space: Space) -> None:
    """Applying the same object twice gives the same object, with the kit's labels."""
    first = space.apply(_note("a", key="1"))
    again = space.apply(_note("a", key="2"))
    found = space.cluster.kube.get("ConfigMap", "a", space.name)

    assert first == again
    assert found and found["data"] == {"key": "2"}
    assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "kit"


def test_undo_deletes_by_identity_not_by_name(space: Space) -> None:
    """An object that took the name of one the kit made is not the kit's to delete."""
    kube = space.cluster.kube
    (old,) = space.apply(_note("a"))
    kube.delete(old)
    wait.until(kube, "ConfigMap", "a", space.name, done=wait.gone, what="gone")
    (new,) = space.apply(_note("a"))

    assert not kube.delete(old)
    assert (kube.get("ConfigMap", "a", space.name) or {})["metadata"]["uid"] == new.uid
    assert kube.delete(new)


def test_a_wait_ends_with_the_event(space: Space) -> None:
    """A pod that becomes ready ends the wait, and carries all six recommended labels."""
    space.apply(app.pod("good", space.cluster.image("goapp-distroless"), treatments=["quick-exit"]))
    pod = wait.until(space.cluster.kube, "Pod", "good", space.name, done=wait.condition("Ready"), what="ready")

    assert pod and pod["metadata"]["labels"].keys() >= SIX


def test_a_wait_that_fails_says_what_it_saw(space: Space) -> None:
    """After the deadline the error quotes the container's reason and the event behind it."""
    space.apply(app.pod("bad", "kit.local/no-such-image:1"))

    with pytest.raises(WaitTimeout) as caught:
        wait.until(space.cluster.kube, "Pod", "bad", space.name, done=wait.condition("Ready"), what="ready", seconds=8)

    seen = "\n".join(caught.value.observed)
    assert "Image" in seen
    assert "no-such-image" in seen


def test_a_crash_is_quoted_with_its_log(space: Space) -> None:
    """A program that ends with an error is shown with what it wrote."""
    pod = app.pod("crash", space.cluster.image("goapp-distroless"))
    pod["spec"]["containers"][0]["args"] = ["-no-such-flag"]
    space.apply(pod)

    with pytest.raises(WaitTimeout) as caught:
        wait.until(
            space.cluster.kube, "Pod", "crash", space.name, done=wait.condition("Ready"), what="ready", seconds=8
        )

    assert "no-such-flag" in "\n".join(caught.value.observed)


def test_a_refused_object_names_the_reason(space: Space) -> None:
    """What the API server refuses is an ApiError with its status and its own words."""
    with pytest.raises(ApiError) as caught:
        space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "empty"}, "spec": {"containers": []}})

    assert caught.value.status == 422
    assert "spec.containers" in caught.value.message


def test_an_unknown_kind_is_a_clear_error(space: Space) -> None:
    """A kind that the API does not have is named."""
    with pytest.raises(ApiError, match="Sandwich"):
        space.cluster.kube.list("Sandwich")
