"""A Service's address while its pods come and go, and how requests spread over them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pandas as pd
from scipy import stats

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError, WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref
from kitlib.measure.workloads.pods import is_ready
from kitlib.views.owner_tree import Node, Tree
from kitlib.workloads import app, traffic

SECONDS = 60
UNITS = {"p_value": "", "address_changed": "0/1", "pods_replaced": "share"}


def replace(namespace: Namespace, name: str) -> dict[str, float]:
    """Delete every pod of an instance, and wait until as many new ones are ready.

    `address_changed`: 1 if the Service's address is another one now; `pods_replaced`: share of the pods' addresses that are new.
    """
    before, old = address(namespace, name), app.pods(namespace, name)
    for pod in old:
        namespace.cluster.kube.delete(Ref.of(pod))
    new = _ready(namespace, name, len(old), {p["metadata"]["uid"] for p in old})
    gone = {p["status"]["podIP"] for p in old} - {p["status"]["podIP"] for p in new}
    return {"address_changed": float(address(namespace, name) != before), "pods_replaced": len(gone) / len(old)}


def address(namespace: Namespace, service: str) -> str:
    """The Service's cluster IP.  Raises ClusterError when there is no such Service."""
    found = namespace.cluster.kube.get("Service", service, namespace.name)
    if found is None:
        raise ClusterError(f"there is no Service {service} in {namespace.name}")
    return str(found["spec"]["clusterIP"])


@takes(UNITS, connections=("new", "kept"))
def balance(
    namespace: Namespace, name: str, trials: Sequence[Mapping[str, Any]], *, rate: int = 100, seconds: int = 5
) -> list[dict[str, float]]:
    """For `kit.experiment(..., batch=True)` over `connections` (new, kept): what `replace` and `spread` give, for each trial.

    Each repeat replaces all pods first, then sends the load of every treatment side by side.
    """
    levels = sorted({trial["connections"] for trial in trials})
    found: dict[str, list[dict[str, float]]] = {level: [] for level in levels}
    for n in range(len(trials) // len(levels)):
        replaced = replace(namespace, name)
        rules(
            namespace.cluster, namespace, name
        )  # before they are in force, a connection can lead to a pod that is gone
        for level, hits in _loads(namespace, name, {level: f"{level}-{n}" for level in levels}, rate, seconds).items():
            names = [p["metadata"]["name"] for p in app.pods(namespace, name)]
            found[level].append(replaced | spread(hits, names))
    return [found[trial["connections"]].pop(0) for trial in trials]


def spread(hits: pd.DataFrame, pods: Sequence[str]) -> dict[str, float]:
    """`busiest`: the share (%) of the requests that the busiest pod got; `p_value`: of Pearson's chi-square test that every pod
    is equally likely to be chosen.  Requests without an answer do not count: no pod served them.
    """
    served = hits[hits["ok"]]
    if served.empty:
        raise ClusterError(f"none of {len(hits)} requests was answered, so that the balance is unknown")
    counts = served["served_by"].value_counts().reindex(list(pods), fill_value=0)
    return {"busiest": 100 * float(counts.max() / counts.sum()), "p_value": float(stats.chisquare(counts).pvalue)}


def shares(namespace: Namespace, service: str, *, keepalive: bool, rate: int = 100, seconds: int = 3) -> pd.DataFrame:
    """One row per pod: requests it served, of one attack on a Service."""
    loads = _loads(namespace, service, {"kept" if keepalive else "new": f"shares-{service}"}, rate, seconds)
    return next(iter(loads.values()))["served_by"].value_counts().rename_axis("pod").to_frame("requests")


def rules(cluster: Cluster, namespace: Namespace, service: str) -> pd.DataFrame:
    """kube-proxy's rules for new connections to a Service, in the order in which they are tried.

    One row per pod: `taken`, the probability of the rule when it is reached; `overall`, of the pod to be chosen; `pod`, its address.
    kube-proxy follows the EndpointSlices within a second or so, and reports no event when it has: so iptables is read until its rules
    lead to the ready pods that the Service selects, and to no other.  Raises WaitTimeout.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        found = ladder(cluster.on_node("iptables-save", "-t", "nat"), f"{namespace.name}/{service}:")
        there, wanted = {pod.rpartition(":")[0] for pod in found["pod"]}, _selected(namespace, service)
        if there == wanted:
            return found
        if time.monotonic() > deadline:
            seen = [f"the rules lead to {sorted(there)}", f"the ready pods are {sorted(wanted)}"]
            raise WaitTimeout(f"kube-proxy has no rules for the pods of {service}", observed=seen)


def ladder(saved: str, service: str) -> pd.DataFrame:
    """`rules` from iptables-save's output; service: `namespace/name:`."""
    steps = re.findall(rf'-A KUBE-SVC-\w+ -m comment --comment "{re.escape(service)}\w* -> ([^"]+)"(.*)', saved)
    left, rows = 1.0, []
    for pod, condition in steps:
        given = re.search(r"--probability ([\d.]+)", condition)
        taken = float(given[1]) if given else 1.0
        rows.append((taken, left * taken, pod))
        left *= 1 - taken
    return pd.DataFrame(rows, columns=["taken", "overall", "pod"], index=pd.RangeIndex(1, len(rows) + 1, name="rule"))


def draw(namespace: Namespace, service: str) -> Tree:
    """The Service, its EndpointSlices and the pods behind them, as the API has them now."""
    found = namespace.cluster.kube.get("Service", service, namespace.name)
    slices = namespace.cluster.kube.list(
        "EndpointSlice", namespace.name, labels=f"kubernetes.io/service-name={service}"
    )
    branches = tuple(_slice(s) for s in slices)
    spec = (found or {}).get("spec", {})
    healthy = any(branch.owns for branch in branches)
    root = Node("Service", service, spec.get("clusterIP", "missing"), healthy, branches)
    return Tree(f"Service {service}, which selects {_selector(spec) or 'nothing'}", (root,))


def _selected(namespace: Namespace, service: str) -> set[str]:
    """Addresses of the ready pods that the Service selects."""
    found = namespace.cluster.kube.get("Service", service, namespace.name) or {"spec": {}}
    selector = found["spec"].get("selector") or {}
    if not selector:
        return set()
    pods = namespace.cluster.kube.list("Pod", namespace.name, labels=",".join(f"{k}={v}" for k, v in selector.items()))
    return {p["status"]["podIP"] for p in pods if is_ready(p)}


def _selector(spec: Object) -> str:
    return ", ".join(f"{key.rpartition('/')[2]}={value}" for key, value in (spec.get("selector") or {}).items())


def _slice(endpoints: Object) -> Node:
    pods = tuple(
        Node("Pod", e["targetRef"]["name"], ", ".join(e["addresses"]), bool(e["conditions"].get("ready")))
        for e in endpoints.get("endpoints") or ()
        if "targetRef" in e
    )
    ready = sum(pod.healthy for pod in pods)
    name = endpoints["metadata"]["name"]
    return Node("EndpointSlice", name, f"{ready} of {len(pods)} ready", ready == len(pods) > 0, pods)


def _ready(namespace: Namespace, name: str, wanted: int, old: set[str]) -> list[Object]:
    seen: dict[str, Object] = {}
    kube = namespace.cluster.kube
    for change, pod in kube.watch("Pod", namespace.name, labels=f"app.kubernetes.io/instance={name}", seconds=SECONDS):
        uid = pod["metadata"]["uid"]
        seen.pop(uid, None)
        if change != "DELETED" and uid not in old and wait.condition("Ready")(pod):
            seen[uid] = pod
        if len(seen) == wanted:
            return list(seen.values())
    raise WaitTimeout(
        f"{len(seen)} of {wanted} new pods of {name} are ready", observed=wait.explain(kube, namespace.name)
    )


def _loads(
    namespace: Namespace, service: str, pods: Mapping[str, str], rate: int, seconds: int
) -> dict[str, pd.DataFrame]:
    """Side by side, one attack per level, each from the pod that `pods` names."""
    url = f"http://{service}/items"
    with ExitStack() as running:
        loads: dict[str, traffic.Load] = {}
        for level, pod in pods.items():
            kept = level == "kept"  # one connection: what HTTP/2 and gRPC clients have
            attack = traffic.open_loop(
                namespace, url, rate=rate, seconds=seconds, keepalive=kept, connections=int(kept), name=pod
            )
            loads[level] = running.enter_context(attack)
    return {level: load.results() for level, load in loads.items()}
