"""Who owns whom: the objects of a namespace as a tree, read from their ownerReferences and drawn from left to right."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kitlib.cluster import Space
from kitlib.drawing import BAD, GOOD
from kitlib.kube import Object
from kitlib.rollout import revision
from kitlib.wait import condition

KINDS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Pod", "Service", "EndpointSlice")
COLUMN, GAP, ROW, PAD = 264, 24, 52, 12  # of the picture
LETTERS = 34  # of a name that fit into a box


@dataclass(frozen=True)
class Node:
    """One object: kind and name, what its status says, whether it is as it should be, and what it owns."""

    kind: str
    name: str
    says: str
    healthy: bool
    owns: tuple[Node, ...] = ()

    def lines(self, indent: int = 0) -> Iterator[str]:
        yield f"{'  ' * indent}{'✓' if self.healthy else '✗'} {self.kind} {self.name}: {self.says}"
        for child in self.owns:
            yield from child.lines(indent + 1)


@dataclass(frozen=True)
class Tree:
    """A picture with its words: shown as SVG where that works, as text elsewhere."""

    title: str
    roots: tuple[Node, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *(line for root in self.roots for line in root.lines(1))])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.svg(), "text/plain": str(self)}

    def svg(self) -> str:
        """Leaves take a row each; an owner stands at the height of its first."""
        parts: list[str] = []
        row = 0
        for root in self.roots:
            row = _place(root, 0, row, parts)
        size = f"{PAD + 3 * (COLUMN + GAP)} {ROW * (row + 1)}"
        title = f'<text x="{PAD}" y="22" font-weight="bold">{html.escape(self.title)}</text>'
        style = 'font-family="system-ui, sans-serif" font-size="12" fill="currentColor"'
        return (
            f'<svg role="img" aria-label="{html.escape(str(self))}" viewBox="0 0 {size}" '
            f'style="max-width:{size.split()[0]}px;width:100%" {style}>{title}{"".join(parts)}</svg>'
        )


def tree(space: Space, name: str = "", *, kinds: Sequence[str] = KINDS) -> Tree:
    """The objects of these kinds in a namespace under their owners; name: only the trees whose root is called so.

    ReplicaSets without pods, which are the older revisions, are in it.
    """
    found = [item | {"kind": kind} for kind in kinds for item in space.cluster.kube.list(kind, space.name)]
    return Tree(f"namespace {space.name}", tuple(node for node in grow(found) if name in ("", node.name)))


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
    """What a reader wants to know of an object of its kind, and whether it is as it should be."""
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
        parts.append(
            f'<path d="M{x + COLUMN} {y + 20}h{GAP // 2}V{end}h{GAP // 2}" fill="none" stroke="currentColor" stroke-opacity="0.5"/>'
        )
        below = _place(child, depth + 1, below, parts)
    return max(below, row + 1)


def _box(node: Node, x: int, y: int) -> str:
    """The mark's shape says it too, not its colour alone."""
    frame = f'<rect x="{x}" y="{y}" width="{COLUMN}" height="40" rx="6" fill="none" stroke="currentColor" stroke-opacity="0.4"/>'
    name = node.name if len(node.name) <= LETTERS else f"…{node.name[1 - LETTERS :]}"
    mark = (
        f'<text x="{x + 8}" y="{y + 33}" fill="{GOOD if node.healthy else BAD}">{"✓" if node.healthy else "✗"}</text>'
    )
    return (
        f'{frame}<text x="{x + 8}" y="{y + 16}" font-weight="600">{html.escape(name)}</text>'
        f'{mark}<text x="{x + 22}" y="{y + 33}">{html.escape(f"{node.kind}: {node.says}")}</text>'
    )
