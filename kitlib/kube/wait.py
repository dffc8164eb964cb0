"""The one waiting function: by watch, with a deadline; when it passes, the error says what was observed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kitlib.errors import ApiError, WaitTimeout
from kitlib.host import waiting
from kitlib.kube.client import Kube, Object

LOG_LINES = 5


def until(
    kube: Kube,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    done: Callable[[Object | None], bool],
    what: str,
    seconds: float = 60,
) -> Object | None:
    """Return the object as soon as `done(object)` holds (None: it does not exist).

    Raises WaitTimeout after `seconds`, with the object's conditions, the namespace's warnings and the last log lines.  Raises
    NamespaceGone at once where the object is missing because its namespace is.  In a notebook, a line says what is waited for.
    """
    with waiting.line(f"{kind}/{name} is {what}", seconds):
        return _until(kube, kind, name, namespace, done, what, seconds)


def _until(
    kube: Kube, kind: str, name: str, namespace: str, done: Callable[[Object | None], bool], what: str, seconds: float
) -> Object | None:
    last = None
    for seen in kube.states(kind, name, namespace, seconds=seconds):
        if done(seen):
            return seen
        if seen is None and namespace:
            kube.check(namespace)
        last = seen or last
    if namespace:
        kube.check(namespace)
    raise WaitTimeout(
        f"{kind}/{name} is not {what} after {seconds:.0f} s",
        observed=[*conditions(last), *explain(kube, namespace)],
        hint="look at the lines above; ./kit status shows the rest of the cluster",
    )


def condition(kind: str) -> Callable[[Object | None], bool]:
    """For `done`: status.conditions has this one as True."""
    return lambda obj: any(c["type"] == kind and c["status"] == "True" for c in _conditions(obj))


def phase(*wanted: str) -> Callable[[Object | None], bool]:
    """For `done`: status.phase is one of these."""
    return lambda obj: obj is not None and obj.get("status", {}).get("phase") in wanted


def exists(obj: Object | None) -> bool:
    """For `done`: the object exists."""
    return obj is not None


def gone(obj: Object | None) -> bool:
    """For `done`: the object does not exist any more."""
    return obj is None


def explain(kube: Kube, namespace: str = "") -> list[str]:
    """The state to look at after a failure: pods that are not ready, their last log lines, and recent warnings."""
    lines: list[str] = []
    try:
        for pod in kube.list("Pod", namespace):
            lines += _pod(kube, pod)
        lines += [_event(e) for e in kube.list("Event", namespace, fields="type=Warning")[-10:]]
    except ApiError as e:
        lines.append(e.message)
    return lines


def conditions(obj: Object | None) -> list[str]:
    """One line per condition that does not hold."""
    return [
        f"{c['type']}={c['status']} {c.get('reason', '')} {c.get('message', '')}".rstrip()
        for c in _conditions(obj)
        if c["status"] != "True"
    ]


def _pod(kube: Kube, pod: Object) -> list[str]:
    status, meta = pod.get("status", {}), pod["metadata"]
    if status.get("phase") == "Succeeded" or condition("Ready")(pod):
        return []
    lines = [f"pod {meta['name']}: {status.get('phase', 'unknown')}"]
    for c in status.get("containerStatuses", []):
        lines += [f"  {c['name']}: {state}" for state in _states(c)]
        if c.get("started") or c.get("restartCount") or "terminated" in c.get("state", {}):
            lines += [f"  | {line}" for line in _log(kube, meta, c["name"])]
    return lines


def _states(container: Any) -> list[str]:
    found = container.get("state", {}).items()
    return [f"{name} {d.get('reason', '')} {d.get('message', '')}".rstrip() for name, d in found if name != "running"]


def _log(kube: Kube, meta: Object, container: str) -> list[str]:
    try:
        return kube.logs(meta["name"], meta["namespace"], container=container, lines=LOG_LINES).splitlines()
    except ApiError:
        return []  # the container never wrote, or is gone


def _event(e: Object) -> str:
    about = e.get("involvedObject", {})
    return f"event {e.get('reason')}: {about.get('kind')}/{about.get('name')}: {e.get('message')}"


def _conditions(obj: Object | None) -> list[Object]:
    return list((obj or {}).get("status", {}).get("conditions") or [])
