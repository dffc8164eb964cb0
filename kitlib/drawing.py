"""The cluster drawn from its live state, as SVG that reads on light and dark pages."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kitlib.cluster import Cluster
from kitlib.wait import condition

ROW, WIDTH, PAD = 22, 760, 12
GOOD, BAD = "#2a9d8f", "#d1495b"


@dataclass(frozen=True)
class Box:
    """One thing in the picture: a title, and lines of (text, healthy)."""

    title: str
    lines: tuple[tuple[str, bool], ...]

    @property
    def height(self) -> int:
        return PAD * 2 + ROW * (len(self.lines) + 1)


@dataclass(frozen=True)
class Drawing:
    """A picture with its words: shown as SVG where that works, as text elsewhere."""

    title: str
    boxes: tuple[Box, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                self.title,
                *(f"{b.title}\n" + "\n".join(f"  {'✓' if ok else '✗'} {t}" for t, ok in b.lines) for b in self.boxes),
            ]
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.svg(), "text/plain": str(self)}

    def svg(self) -> str:
        parts, y = [], PAD + ROW
        for box in self.boxes:
            parts.append(_box(box, y))
            y += box.height + PAD
        label = html.escape(str(self))
        text = f'<text x="{PAD}" y="{ROW}" font-weight="bold">{html.escape(self.title)}</text>'
        style = 'font-family="system-ui, sans-serif" font-size="13" fill="currentColor"'
        return (
            f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {y}" style="max-width:{WIDTH}px;width:100%" {style}>'
            f"{text}{''.join(parts)}</svg>"
        )


def draw(cluster: Cluster) -> Drawing:
    """Nodes, and the pods of each namespace, as the API has them now."""
    nodes = cluster.kube.list("Node")
    pods = cluster.kube.list("Pod")
    boxes = [Box("nodes", tuple((_node(n), condition("Ready")(n)) for n in nodes))]
    for namespace in sorted({p["metadata"]["namespace"] for p in pods}):
        inside = [p for p in pods if p["metadata"]["namespace"] == namespace]
        boxes.append(Box(f"namespace {namespace}", tuple((_pod(p), _well(p)) for p in inside)))
    return Drawing(f"cluster {cluster.owner.cluster}, Kubernetes {cluster.kube.version()}", tuple(boxes))


def _node(node: Any) -> str:
    info = node["status"]["nodeInfo"]
    return f"{node['metadata']['name']}: kubelet {info['kubeletVersion']}, {info['containerRuntimeVersion']}, {info['osImage']}"


def _well(pod: Any) -> bool:
    """Ready, or done with what it had to do."""
    return condition("Ready")(pod) or pod["status"].get("phase") == "Succeeded"


def _pod(pod: Any) -> str:
    restarts = sum(c["restartCount"] for c in pod["status"].get("containerStatuses", []))
    return f"{pod['metadata']['name']}: {pod['status'].get('phase')}, {restarts} restarts, {_images(pod['spec']['containers'])}"


def _images(containers: Sequence[Any]) -> str:
    return ", ".join(c["image"].rpartition("/")[2] for c in containers)


def _box(box: Box, y: int) -> str:
    size = f'x="{PAD}" y="{y}" width="{WIDTH - 2 * PAD}" height="{box.height}" rx="6"'
    frame = f'<rect {size} fill="none" stroke="currentColor" stroke-opacity="0.4"/>'
    title = f'<text x="{2 * PAD}" y="{y + ROW}" font-weight="600">{html.escape(box.title)}</text>'
    return frame + title + "".join(_row(text, ok, y + ROW * (i + 2)) for i, (text, ok) in enumerate(box.lines))


def _row(text: str, ok: bool, y: int) -> str:
    """The mark's shape says it too, not its colour alone."""
    mark = f'<text x="{2 * PAD}" y="{y}" fill="{GOOD if ok else BAD}">{"✓" if ok else "✗"}</text>'
    return mark + f'<text x="{3.5 * PAD}" y="{y}">{html.escape(text)}</text>'
