"""The state of engine, supply and cluster, as data and as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kitlib.engine import client as engines
from kitlib.errors import ClusterError, KitError
from kitlib.host import identity, preparation, textfile
from kitlib.supply import choice as supply


def look() -> dict[str, Any]:
    """Engine, supply, cluster, and what is being prepared, if anything is; a part that does not answer says why.

    Never raises for what it finds.
    """
    found = {"engine": _tried(_engine), "supply": _tried(supply.choose), "cluster": _tried(_cluster)}
    doing = preparation.look()
    return {**found, "prepared": doing.told()} if doing else found


def preparing() -> bool:
    """Whether something is being prepared now."""
    doing = preparation.look()
    return bool(doing and doing.running)


def check_settings() -> None:
    """Raise InputError for a wrong environment variable: the rest of the status may then be about something else than intended."""
    supply.named()
    identity.home()


def text(found: dict[str, Any]) -> str:
    """What `look` found, one line per part."""
    return "\n".join(f"{name:8} {_line(value)}" for name, value in found.items())


def images_table(names: Iterable[str]) -> str:
    """One line per image: whether the engine has it, size, reference, and the upstream image that it stands for."""
    from kitlib.supply import images

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


def _engine() -> dict[str, Any] | None:
    return engines.describe() if engines.connect() else None


def _cluster() -> dict[str, Any]:
    if identity.load() is None:  # as bind() would find, after all that it imports
        raise ClusterError("the kit has no cluster yet", hint="./kit up")
    from kitlib.cluster import bound as cluster

    bound = cluster.bind()
    pods = bound.kube.list("Pod")
    running = sum(p["status"].get("phase") == "Running" for p in pods)
    return {
        "name": bound.identity.cluster,
        "version": bound.kube.version(),
        "created_at": bound.identity.created_at,
        "registry": bound.registry,
        "kubeconfig": str(identity.kubeconfig()),
        "pods": f"{running} of {len(pods)} running",
    }


def _tried(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except KitError as e:
        return f"{e.message} (next: {e.hint})" if e.hint else e.message
    except Exception as e:  # noqa: BLE001  # an engine or a cluster whose answer does not fit its API
        return textfile.one_line(f"the answer cannot be read: {type(e).__name__}: {e}")


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value if value is not None else "none")
