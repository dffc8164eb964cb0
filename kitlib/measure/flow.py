"""A pod's life from manifest to Ready: who had it when, and how long each kept it, as independent witnesses wrote it down."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from kitlib import app, timeline, wait
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.kube import Object
from kitlib.measure import witnesses
from kitlib.measure.chain import CHAINS, WORKERS, Stamp, stamps

SECONDS = 60.0
UNITS = dict.fromkeys(WORKERS.values(), "ms") | {"missing": "hops", "unexplained": "%"}


@dataclass(frozen=True)
class Life:
    """What is known of one pod.  kind: of the manifest that was sent; total: seconds by the sender's own stopwatch, request to Ready."""

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
        """`total` and each hop in ms; `missing`: hops that nobody saw; `unexplained`: % of the total that the hops do not add up to."""
        hops = {who: 1000 * seconds for who, seconds, _ in self.hops()}
        total, expected = 1000 * self.total, len(CHAINS[self.kind]) - 1
        gap = 100 * abs(total - sum(hops.values())) / total
        return {"total": total, "missing": float(expected - len(hops)), "unexplained": gap, **hops}

    def draw(self) -> timeline.Timeline:
        """The hops as a staircase; the colour says who saw the end of each."""
        start, lanes = 0.0, []
        for who, seconds, witness in self.hops():
            lanes.append(timeline.Lane(who, (timeline.Span(start, start + max(seconds, 0), "", witness),)))
            start += seconds
        return timeline.draw(f"{self.pod}: from request to Ready", lanes, kinds=("etcd", "kubelet", "containerd"))


def trial(space: Space, image: str, kind: str) -> Life:
    """Send one manifest (kind: Deployment or Pod), wait for Ready, and ask the witnesses.  What was made is deleted, in the background."""
    sent = manifest(kind, f"{kind.lower()}-{secrets.token_hex(3)}", image)
    prefixes = [f"/registry/{kinds}/{space.name}/" for kinds in ("deployments", "replicasets", "pods")]
    with witnesses.etcd(space.cluster, prefixes) as etcd:
        began, stopwatch = time.time(), time.monotonic()
        (ref,) = space.apply(sent)
        pod = _ready(space, ref.name)
        total = time.monotonic() - stopwatch
        revisions = etcd.up_to(int(pod["metadata"]["resourceVersion"]))
    try:
        writes = [w for w in witnesses.audited(space.cluster, space.name) if w.received >= began]
        journals = {unit: witnesses.journal(space.cluster, unit, began) for unit in ("kubelet", "containerd")}
        found = stamps(pod, ref.name, kind, revisions, writes, **journals)
        return Life(pod["metadata"]["name"], kind, total, tuple(found))
    finally:
        space.cluster.kube.delete(ref)


def shares(runs: pd.DataFrame) -> pd.DataFrame:
    """A row a step, a column a manifest: the median in ms, and its share of the steps' sum in %."""
    steps = runs[runs["metric"].isin(WORKERS.values())]
    median = steps.pivot_table(index="metric", columns="manifest", values="value", aggfunc="median", sort=False)
    ordered = median.loc[[who for who in WORKERS.values() if who in median.index]]
    share = (100 * ordered / ordered.sum()).add_suffix(", %")
    return ordered.add_suffix(", ms").join(share).round(1).astype(object).fillna("–")


def manifest(kind: str, name: str, image: str) -> Object:
    """goapp without what would wait for others: no start-up probe, no drain."""
    settings: dict[str, Any] = {"treatments": ["no-startup"], "env": {"CATALOG_DRAIN_DELAY": "0s"}}
    if kind == "Pod":
        return app.pod(name, image, **settings)
    return next(m for m in app.manifests(name, image, **settings) if m["kind"] == kind)


def _ready(space: Space, instance: str) -> Object:
    """The instance's pod as soon as a watch says that it is Ready; a bare pod's name is the instance's, too."""
    for _, pod in space.cluster.kube.watch("Pod", space.name, seconds=SECONDS):
        if pod["metadata"]["name"].startswith(instance) and wait.condition("Ready")(pod):
            return pod
    raise WaitTimeout(
        f"no pod of {instance} is ready after {SECONDS:.0f} s",
        observed=wait.explain(space.cluster.kube, space.name),
        hint="look at the lines above",
    )
