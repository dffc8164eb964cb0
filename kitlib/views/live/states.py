"""The states of pods, endpoints and ReplicaSets, one word per state: how an object of the API appears in a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from kitlib.kube.client import Object
from kitlib.kube.wait import condition
from kitlib.views.live.sightings import Event, State

# in the order of plots.PALETTE: blue, vermilion, green, pink, ochre, violet, grey
KINDS = ("scheduled", "not ready", "ready", "waiting", "started", "pending", "terminating")
STARTING = ("", "ContainerCreating", "PodInitializing")
REVISION = "deployment.kubernetes.io/revision"


def pod(obj: Object, before: Mapping[str, State]) -> Sequence[State]:
    """One lane.  pending: it has no node; scheduled: no container has run; waiting: one does not run, the label says why;
    started: all run and were not ready since; not ready: they were; then terminating, or over as succeeded or failed.
    The kubelet tells how a pod is, not each step: on a busy node, started is skipped when ready follows soon.
    """
    name, status = obj["metadata"]["name"], obj.get("status", {})
    containers = status.get("containerStatuses", [])
    restarts = sum(c["restartCount"] for c in containers)
    facts = {
        "ready": f"{sum(c['ready'] for c in containers)}/{len(obj['spec']['containers'])}",
        "restarts": restarts,
        "node": obj["spec"].get("nodeName", ""),
    }
    kind, label = _pod(obj, containers, before.get(name), restarts)
    over, created = kind in ("succeeded", "failed"), obj["metadata"].get("creationTimestamp", "")
    return [State(name, kind, label, facts, over, created)]


def _pod(obj: Object, containers: Sequence[Any], before: State | None, restarts: int) -> tuple[str, str]:
    phase = obj.get("status", {}).get("phase")
    again, reason = f"restart {restarts}" if restarts else "", _reason(containers)
    if "deletionTimestamp" in obj["metadata"]:
        return "terminating", reason if reason.startswith("exit") else ""
    if phase in ("Succeeded", "Failed"):
        return phase.lower(), reason
    if condition("Ready")(obj):
        return "ready", again
    if not obj["spec"].get("nodeName"):
        return "pending", ""
    if not containers or any("running" not in c["state"] for c in containers):
        return ("scheduled", "") if reason in STARTING and not restarts else ("waiting", reason)
    was = before is not None and before.kind in ("ready", "not ready") and before.facts["restarts"] == restarts
    return ("not ready" if was else "started"), again


def _reason(containers: Sequence[Any]) -> str:
    """Of the first container that does not run: 'exit 3', 'CrashLoopBackOff', ''."""
    for c in containers:
        if ended := c["state"].get("terminated"):
            return f"exit {ended['exitCode']}"
        if waits := c["state"].get("waiting"):
            return str(waits.get("reason", ""))
    return ""


def endpoints(obj: Object, _: Mapping[str, State]) -> Sequence[State]:
    """An EndpointSlice's addresses: one lane each, called like its pod; one that terminates can still be serving, its label says so."""
    family = "" if obj["addressType"] == "IPv4" else f" ({obj['addressType']})"
    return [_endpoint(e, family) for e in obj.get("endpoints") or []]


def _endpoint(endpoint: Any, family: str) -> State:
    said, address = endpoint.get("conditions", {}), endpoint["addresses"][0]
    ready, terminating = said.get("ready", True), said.get("terminating", False)
    serving = said.get("serving", ready)
    facts = {"address": address, "ready": ready, "serving": serving, "terminating": terminating}
    name = endpoint.get("targetRef", {}).get("name", address) + family
    if terminating:
        return State(name, "terminating", "serving" if serving else "", facts)
    return State(name, "ready" if ready else "not ready", "", facts)


def replica_set(obj: Object, _: Mapping[str, State]) -> Sequence[State]:
    """One lane: ready when all its pods are, the label says how many; over while it has none and wants none."""
    status, desired = obj.get("status", {}), obj["spec"].get("replicas", 1)
    pods, ready = status.get("replicas", 0), status.get("readyReplicas", 0)
    facts = {
        "revision": int(obj["metadata"].get("annotations", {}).get(REVISION, 0)),
        "desired": desired,
        "pods": pods,
        "ready": ready,
        "available": status.get("availableReplicas", 0),
    }
    name = obj["metadata"]["name"]
    if not pods and not desired:
        return [State(name, "scaled to 0", "", facts, over=True)]
    kind = "ready" if ready >= max(pods, desired) else "not ready"
    return [State(name, kind, f"{ready}/{max(pods, desired)}", facts)]


def counts(events: Sequence[Event]) -> pd.DataFrame:
    """One row per moment at which ReplicaSets changed: at, old, new, ready, available; new is the highest revision by then."""
    now: dict[str, Mapping[str, Any]] = {}
    rows: dict[float, dict[str, float]] = {}
    for event in events:
        now[event.state.lane] = event.state.facts
        newest = max(facts["revision"] for facts in now.values())
        rows[event.at] = {
            "at": event.at,
            "old": sum(f["pods"] for f in now.values() if f["revision"] < newest),
            "new": sum(f["pods"] for f in now.values() if f["revision"] == newest),
            "ready": sum(f["ready"] for f in now.values()),
            "available": sum(f["available"] for f in now.values()),
        }
    return pd.DataFrame(rows.values(), columns=["at", "old", "new", "ready", "available"])
