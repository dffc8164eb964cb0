"""What runs, as data and as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kitlib import cluster, images, owner, supply
from kitlib import engine as engines
from kitlib.errors import KitError


def look() -> dict[str, Any]:
    """Engine, supply, cluster; a part that does not answer says why."""
    found: dict[str, Any] = {"engine": engines.describe() or None, "supply": _tried(supply.choose)}
    found["cluster"] = _tried(_cluster)
    return found


def text(found: dict[str, Any]) -> str:
    return "\n".join(f"{name:8} {_line(value)}" for name, value in found.items())


def images_table(names: Iterable[str]) -> str:
    """One line an image: here or not, size, reference, what it stands for."""
    running = engines.connect()
    rows = []
    for name in names:
        here = running.inspect(images.image(name).reference) if running else None
        size = f"{here['Size'] / 1e6:8.1f} MB" if here else "   not here"
        stands = images.stands_for(name)
        rows.append(
            f"{name:20} {size}  {images.image(name).reference}" + (f"  (stands for {stands})" if stands else "")
        )
    return "\n".join(rows)


def _cluster() -> dict[str, Any]:
    bound = cluster.bind()
    pods = bound.kube.list("Pod")
    running = sum(p["status"].get("phase") == "Running" for p in pods)
    return {
        "name": bound.owner.cluster,
        "version": bound.kube.version(),
        "created_at": bound.owner.created_at,
        "registry": bound.registry,
        "kubeconfig": str(owner.kubeconfig()),
        "pods": f"{running} of {len(pods)} running",
    }


def _tried(look: Any) -> Any:
    try:
        return look()
    except KitError as e:
        return e.message


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value if value is not None else "none")
