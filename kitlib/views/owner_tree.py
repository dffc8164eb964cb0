"""The owners of objects: the objects of a namespace as a tree, read from their ownerReferences and drawn from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kitlib.cluster.bound import Namespace
from kitlib.kube.client import Object
from kitlib.kube.wait import condition
from kitlib.views import svg
from kitlib.workloads.rollout import revision

KINDS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Pod", "Service", "EndpointSlice")
COLUMN, GAP, ROW, PAD = 264, 24, 52, 12  # of the picture
LETTERS = 34  # of a name that fit into a box


@dataclass(frozen=True)
class Node:
    """One object: kind and name, its status in words, whether it is healthy, and what it owns."""

    kind: str
    name: str
    says: str
    healthy: bool
    owns: tuple[Node, ...] = ()

    def lines(self, indent: int = 0) -> Iterator[str]:
        """The node and everything that it owns as text, one indented line each."""
        yield f"{'  ' * indent}{'✓' if self.healthy else '✗'} {self.kind} {self.name}: {self.says}"
        for child in self.owns:
            yield from child.lines(indent + 1)


@dataclass(frozen=True)
class Tree:
    """A picture with its text: shown as SVG where that works, as text elsewhere."""

    title: str
    roots: tuple[Node, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *(line for root in self.roots for line in root.lines(1))])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.svg(), "text/plain": str(self)}

    def svg(self) -> str:
        """Each leaf takes one row; an owner stands at the height of its first."""
        parts: list[str] = []
        row = 0
        for root in self.roots:
            row = _place(root, 0, row, parts)
        title = svg.text(PAD, 22, self.title, font_weight="bold")
        return svg.page(str(self), PAD + 3 * (COLUMN + GAP), ROW * (row + 1), [title, *parts])


def tree(namespace: Namespace, name: str = "", *, kinds: Sequence[str] = KINDS) -> Tree:
    """The objects of these kinds in a namespace under their owners; name: only the trees whose root is called so.

    ReplicaSets without pods, which are the older revisions, are in it.
    """
    found = [item | {"kind": kind} for kind in kinds for item in namespace.cluster.kube.list(kind, namespace.name)]
    return Tree(f"namespace {namespace.name}", tuple(node for node in grow(found) if name in ("", node.name)))


def grow(found: Sequence[Object]) -> list[Node]:
    """The trees of these objects: what none of the others owns is a root."""
    here = {item["metadata"]["uid"] for item in found}
    return [_node(item, found) for item in found if not here & set(_owners(item))]


def _node(item: Object, found: Sequence[Object]) -> Node:
    uid = item["metadata"]["uid"]
    owned = sorted((i for i in found if uid in _owners(i)), key=lambda i: (revision(i), i["metadata"]["name"]))
    says, healthy = _says(item)
    return Node(item["kind"], item["metadata"]["name"], says, healthy, tuple(_node(i, found) for i in owned))


def _owners(item: Object) -> list[str]:
    return [owner["uid"] for owner in item["metadata"].get("ownerReferences", [])]


def _says(item: Object) -> tuple[str, bool]:
    """The state of an object in words that suit its kind, and whether it is healthy."""
    spec, status = item.get("spec", {}), item.get("status", {})
    if item["kind"] == "Pod":
        return _pod(item)
    if item["kind"] == "EndpointSlice":
        ready = sum(bool(e["conditions"].get("ready")) for e in item.get("endpoints") or [])
        return f"{ready} of {len(item.get('endpoints') or [])} ready", ready > 0
    if item["kind"] == "Service":
        return f"address {spec.get('clusterIP', 'none')}", True
    wanted = spec.get("replicas", status.get("desiredNumberScheduled", 0))
    ready = status.get("readyReplicas", status.get("numberReady", 0))
    number = f"revision {revision(item)}, " if revision(item) else ""
    return f"{number}{ready} of {wanted} ready", ready == wanted


def _pod(pod: Object) -> tuple[str, bool]:
    if pod["metadata"].get("deletionTimestamp"):
        return "ending", False
    ready = condition("Ready")(pod)
    restarts = sum(c["restartCount"] for c in pod.get("status", {}).get("containerStatuses") or [])
    waiting = [c["state"].get("waiting", {}).get("reason", "") for c in pod["status"].get("containerStatuses") or []]
    state = "ready" if ready else next(filter(None, waiting), pod["status"].get("phase", "unknown"))
    return f"{state}{f', {restarts} restarts' if restarts else ''}", ready


def _place(node: Node, depth: int, row: int, parts: list[str]) -> int:
    """Draw a node and what it owns from this row on; returns the first row that is still free."""
    x, y = PAD + depth * (COLUMN + GAP), ROW * row + ROW - 16
    parts.append(_box(node, x, y))
    below = row
    for child in node.owns:
        end = ROW * below + ROW - 16 + 20
        way = f"M{x + COLUMN} {y + 20}h{GAP // 2}V{end}h{GAP // 2}"
        parts.append(svg.path(way, fill="none", stroke="currentColor", stroke_opacity=0.5))
        below = _place(child, depth + 1, below, parts)
    return max(below, row + 1)


def _box(node: Node, x: int, y: int) -> str:
    name = node.name if len(node.name) <= LETTERS else f"…{node.name[1 - LETTERS :]}"
    return "".join(
        [
            svg.box(x, y, COLUMN, 40, stroke_opacity=0.4),
            svg.text(x + 8, y + 16, name, font_weight=600),
            svg.mark(x + 8, y + 33, good=node.healthy),
            svg.text(x + 22, y + 33, f"{node.kind}: {node.says}"),
        ]
    )
