"""The cluster drawn from its live state, as SVG that reads on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kitlib.cluster.bound import Cluster
from kitlib.kube.wait import condition
from kitlib.views import svg

ROW, WIDTH, PAD = 22, 760, 12


@dataclass(frozen=True)
class Box:
    """One thing in the picture: a title, and lines of (text, healthy)."""

    title: str
    lines: tuple[tuple[str, bool], ...]

    @property
    def height(self) -> int:
        """The height in pixels: the title and one row per line."""
        return PAD * 2 + ROW * (len(self.lines) + 1)


@dataclass(frozen=True)
class Drawing:
    """A picture with its text: shown as SVG where that works, as text elsewhere."""

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
        """The drawing as an SVG element, with its text as the label for screen readers."""
        parts, y = [], PAD + ROW
        for box in self.boxes:
            parts.append(_box(box, y))
            y += box.height + PAD
        title = svg.text(PAD, ROW, self.title, font_weight="bold")
        return svg.page(str(self), WIDTH, y, [title, *parts], size=13)


def draw(cluster: Cluster) -> Drawing:
    """Nodes, and the pods of each namespace, as the API has them now."""
    nodes = cluster.kube.list("Node")
    pods = cluster.kube.list("Pod")
    boxes = [Box("nodes", tuple((_node(n), condition("Ready")(n)) for n in nodes))]
    for namespace in sorted({p["metadata"]["namespace"] for p in pods}):
        inside = [p for p in pods if p["metadata"]["namespace"] == namespace]
        boxes.append(Box(f"namespace {namespace}", tuple((_pod(p), _well(p)) for p in inside)))
    return Drawing(f"cluster {cluster.identity.cluster}, Kubernetes {cluster.kube.version()}", tuple(boxes))


def _node(node: Any) -> str:
    info = node["status"]["nodeInfo"]
    return f"{node['metadata']['name']}: kubelet {info['kubeletVersion']}, {info['containerRuntimeVersion']}, {info['osImage']}"


def _well(pod: Any) -> bool:
    """Whether a pod is ready, or has completed."""
    return condition("Ready")(pod) or pod["status"].get("phase") == "Succeeded"


def _pod(pod: Any) -> str:
    restarts = sum(c["restartCount"] for c in pod["status"].get("containerStatuses", []))
    return f"{pod['metadata']['name']}: {pod['status'].get('phase')}, {restarts} restarts, {_images(pod['spec']['containers'])}"


def _images(containers: Sequence[Any]) -> str:
    return ", ".join(c["image"].rpartition("/")[2] for c in containers)


def _box(box: Box, y: int) -> str:
    frame = svg.box(PAD, y, WIDTH - 2 * PAD, box.height, stroke_opacity=0.4)
    title = svg.text(2 * PAD, y + ROW, box.title, font_weight=600)
    return frame + title + "".join(_row(text, ok, y + ROW * (i + 2)) for i, (text, ok) in enumerate(box.lines))


def _row(text: str, ok: bool, y: int) -> str:
    return svg.mark(2 * PAD, y, good=ok) + svg.text(3.5 * PAD, y, text)
