"""The tree of owners: well-formed, readable without seeing it, and without colours."""

from __future__ import annotations

from xml.etree import ElementTree

from kitlib.kube.client import Object
from kitlib.views.owner_tree import Node, Tree, grow
from kitlib.views.svg import BAD, GOOD

HOSTILE = "<b>&"


def thing(kind: str, name: str, owner: str = "", **status: object) -> Object:
    owners = [{"uid": owner}] if owner else []
    return {
        "kind": kind,
        "metadata": {"name": name, "uid": name, "ownerReferences": owners},
        "spec": {},
        "status": status,
    }


def pod(name: str, owner: str, ready: str) -> Object:
    return thing("Pod", name, owner, phase="Running", conditions=[{"type": "Ready", "status": ready}])


FOUND = [
    thing("Deployment", "web") | {"spec": {"replicas": 2}, "status": {"readyReplicas": 1}},
    thing("ReplicaSet", "web-1", "web") | {"spec": {"replicas": 2}, "status": {"readyReplicas": 1}},
    pod("web-1-a", "web-1", "True"),
    pod("web-1-b", "web-1", "False"),
    thing("Service", "web-service"),
]


def test_children_stand_under_their_owners() -> None:
    """By uid; an object without an owner is a root."""
    deployment, service = grow(FOUND)
    (replica_set,) = deployment.owns

    assert [deployment.name, service.name] == ["web", "web-service"]
    assert [p.name for p in replica_set.owns] == ["web-1-a", "web-1-b"]


def test_an_owner_that_is_not_listed_makes_a_root() -> None:
    """A caller that asks for pods alone gets them, though a ReplicaSet owns them."""
    assert [node.name for node in grow([pod("a", "elsewhere", "True")])] == ["a"]


def test_health_is_what_the_status_says() -> None:
    """A pod by its condition, a Deployment by its counts."""
    text = str(Tree("namespace n", tuple(grow(FOUND))))

    assert "✗ Deployment web: 1 of 2 ready" in text
    assert "      ✓ Pod web-1-a: ready" in text
    assert "      ✗ Pod web-1-b: Running" in text


def test_the_picture_has_every_node_with_its_mark() -> None:
    """A frame each, and the mark's shape says what its colour says."""
    svg = ElementTree.fromstring(Tree("namespace n", tuple(grow(FOUND))).svg())
    marks = [(t.text, t.get("fill")) for t in svg.iter("text") if t.get("fill")]

    assert len(list(svg.iter("rect"))) == len(FOUND)
    assert set(marks) == {("✓", GOOD), ("✗", BAD)}
    assert (svg.get("role"), "web-1-b" in str(svg.get("aria-label"))) == ("img", True)


def test_names_are_escaped() -> None:
    """A name that looks like markup is shown as it is."""
    svg = ElementTree.fromstring(Tree(HOSTILE, (Node("Pod", HOSTILE, HOSTILE, True),)).svg())

    assert [t.text for t in svg.iter("text") if t.text != "✓"] == [HOSTILE, HOSTILE, f"Pod: {HOSTILE}"]
