"""A pod's life from manifest to Ready: which component had it when, and for how long, as independent witnesses recorded it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.measure.cluster import witnesses
from kitlib.measure.cluster.chain import CHAINS, WORKERS, Stamp, stamps
from kitlib.views import timeline
from kitlib.views.chart import Lane, Span
from kitlib.workloads import app

SECONDS = 60.0
UNITS = dict.fromkeys(WORKERS.values(), "ms") | {"missing": "hops", "unexplained": "%"}


@dataclass(frozen=True)
class Life:
    """The record of one pod.  kind: of the manifest that was sent; total: seconds by the sender's own stopwatch, request to Ready."""

    pod: str
    kind: str
    total: float
    stamps: tuple[Stamp, ...]

    def hops(self) -> Iterator[tuple[str, float, str]]:
        """(who, seconds, witness), one for each two stamps that follow each other."""
        for before, after in pairwise(self.stamps):
            who = "API server" if before.what == "request received" else WORKERS[after.what]
            yield who, after.at - before.at, after.witness

    def figures(self) -> dict[str, float]:
        """`total` and each hop in ms; `missing`: hops that no witness saw; `unexplained`: % of the total that the hops do not add up to."""
        hops = {who: 1000 * seconds for who, seconds, _ in self.hops()}
        total, expected = 1000 * self.total, len(CHAINS[self.kind]) - 1
        gap = 100 * abs(total - sum(hops.values())) / total
        return {"total": total, "missing": float(expected - len(hops)), "unexplained": gap, **hops}

    def draw(self) -> timeline.Timeline:
        """The hops as a staircase; the colour is the witness that saw the end of each."""
        start, lanes = 0.0, []
        for who, seconds, witness in self.hops():
            lanes.append(Lane(who, (Span(start, start + max(seconds, 0), "", witness),)))
            start += seconds
        return timeline.draw(f"{self.pod}: from request to Ready", lanes, kinds=("etcd", "kubelet", "containerd"))


@takes(UNITS, kind=CHAINS)
def trial(namespace: Namespace, image: str, kind: str) -> Life:
    """Send one manifest (kind: Deployment or Pod), wait for Ready, and ask the witnesses.  The objects are deleted in the background."""
    sent = manifest(kind, f"{kind.lower()}-{secrets.token_hex(3)}", image)
    prefixes = [f"/registry/{kinds}/{namespace.name}/" for kinds in ("deployments", "replicasets", "pods")]
    with witnesses.etcd(namespace.cluster, prefixes) as etcd:
        began, stopwatch = time.time(), time.monotonic()
        (ref,) = namespace.apply(sent)
        pod = _ready(namespace, ref.name)
        total = time.monotonic() - stopwatch
        revisions = etcd.up_to(int(pod["metadata"]["resourceVersion"]))
    try:
        writes = [w for w in witnesses.audited(namespace.cluster, namespace.name) if w.received >= began]
        journals = {unit: witnesses.journal(namespace.cluster, unit, began) for unit in ("kubelet", "containerd")}
        found = stamps(pod, ref.name, kind, revisions, writes, **journals)
        return Life(pod["metadata"]["name"], kind, total, tuple(found))
    finally:
        namespace.cluster.kube.delete(ref)


def shares(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per step and one column per manifest: the median in ms, and its share of the steps' sum in %."""
    steps = runs[runs["metric"].isin(WORKERS.values())]
    median = steps.pivot_table(index="metric", columns="manifest", values="value", aggfunc="median", sort=False)
    ordered = median.loc[[who for who in WORKERS.values() if who in median.index]]
    share = (100 * ordered / ordered.sum()).add_suffix(", %")
    return ordered.add_suffix(", ms").join(share).round(1).astype(object).fillna("–")


def manifest(kind: str, name: str, image: str) -> Object:
    """goapp without anything that adds waiting: no start-up probe, no drain."""
    settings: dict[str, Any] = {"treatments": ["no-startup"], "env": {"CATALOG_DRAIN_DELAY": "0s"}}
    if kind == "Pod":
        return app.pod(name, image, **settings)
    return next(m for m in app.manifests(name, image, **settings) if m["kind"] == kind)


def _ready(namespace: Namespace, instance: str) -> Object:
    """The instance's pod as soon as a watch says that it is Ready; a bare pod also has the instance's name."""
    for _, pod in namespace.cluster.kube.watch("Pod", namespace.name, seconds=SECONDS):
        if pod["metadata"]["name"].startswith(instance) and wait.condition("Ready")(pod):
            return pod
    raise WaitTimeout(
        f"no pod of {instance} is ready after {SECONDS:.0f} s",
        observed=wait.explain(namespace.cluster.kube, namespace.name),
        hint="look at the lines above",
    )
