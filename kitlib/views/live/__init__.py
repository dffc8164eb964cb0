"""What changes in a namespace while a block runs: pods, a Service's endpoints, a Deployment's rollout.

    with live.pods(namespace) as seen:
        kube.delete(pod)
    seen.frame()

In JupyterLab a table shows the current state until the block is left; then, and in a headless run, a timeline shows
the history.  Times are when the news arrived, in seconds since the block began (monotonic).  Nothing outlives the block.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError
from kitlib.host.frontend import headless
from kitlib.kube.client import Object
from kitlib.kube.follow import Follow
from kitlib.views.chart import Mark
from kitlib.views.live import sightings, states
from kitlib.views.live.sightings import Read, Sightings, State
from kitlib.views.live.view import Quiet, View
from kitlib.views.timeline import Timeline, draw

S = TypeVar("S", bound="Seen")


class Seen:
    """The changes that the watch has seen so far; complete when the block has been left."""

    def __init__(self, title: str, what: str, read: Read) -> None:
        self.title = title
        self.what = what
        self._sightings = Sightings(read)
        self._marks: list[Mark] = []
        self._began = time.monotonic()
        self._took: float | None = None

    @property
    def seconds(self) -> float:
        """Since the block began; how long it took, once it is over."""
        return time.monotonic() - self._began if self._took is None else self._took

    def mark(self, label: str) -> float:
        """Name this moment: the timeline shows it.  Returns the seconds since the block began."""
        self._marks.append(Mark(self.seconds, label))
        return self._marks[-1].at

    def caption(self) -> str:
        """The title, and the newest mark: where the block is, or why nothing is seen any more."""
        return " – ".join([self.title, *(mark.label for mark in self._marks[-1:])])

    def now(self) -> list[State]:
        """The current states."""
        return list(self._sightings.now.values())

    def frame(self) -> pd.DataFrame:
        """One row per event: the name, event, detail, at (seconds), and what else the API said of it then."""
        return sightings.frame(list(self._sightings.events), self.what)

    def timeline(self) -> Timeline:
        """A timeline with one lane per thing."""
        lanes = sightings.lanes(list(self._sightings.events))
        return draw(self.title, lanes, self._marks, kinds=states.KINDS, until=self.seconds)

    def _repr_mimebundle_(self, **how: Any) -> dict[str, str]:
        return self.timeline()._repr_mimebundle_(**how)

    def __str__(self) -> str:
        return str(self.timeline())

    def begin(self, items: Sequence[Object]) -> None:
        """The block begins now, with these objects."""
        self._began = time.monotonic()
        for item in items:
            self._sightings.take("ADDED", item, 0.0)

    def take(self, change: str, item: Object) -> bool:
        """Whether this is news."""
        return self._sightings.take(change, item, self.seconds)

    def end(self) -> None:
        """Keep the time that has passed, so that `seconds` no longer grows."""
        self._took = self.seconds


class Rollout(Seen):
    """One lane per ReplicaSet; and how many pods there were of the old and of the new template."""

    def counts(self) -> pd.DataFrame:
        """One row per change: at, old and new (pods), ready and available (of both).  New is the highest revision at that time."""
        return states.counts(list(self._sightings.events))


def pods(namespace: Namespace, *, labels: str = "") -> AbstractContextManager[Seen]:
    """Record the life of every pod, or of those that a label selector names: `labels="app.kubernetes.io/instance=web"`."""
    return _record(Seen(f"Pods in {namespace.name}", "pod", states.pod), namespace, "/api/v1", "pods", labels)


def endpoints(namespace: Namespace, service: str) -> AbstractContextManager[Seen]:
    """Record which pods a Service sends traffic to: those in its EndpointSlices."""
    seen = Seen(f"Endpoints of {service} in {namespace.name}", "pod", states.endpoints)
    labels = f"kubernetes.io/service-name={service}"
    return _record(seen, namespace, "/apis/discovery.k8s.io/v1", "endpointslices", labels)


def rollout(namespace: Namespace, deployment: str) -> AbstractContextManager[Rollout]:
    """Record how a Deployment's ReplicaSets grow and shrink.  Raises ClusterError when there is no such Deployment."""
    found = namespace.cluster.kube.get("Deployment", deployment, namespace.name)
    if found is None:
        raise ClusterError(f"there is no Deployment {deployment} in {namespace.name}", hint="apply it before the block")
    uid = found["metadata"]["uid"]

    def read(obj: Object, before: Mapping[str, State]) -> Sequence[State]:
        owners = {owner["uid"] for owner in obj["metadata"].get("ownerReferences", [])}
        return states.replica_set(obj, before) if uid in owners else []

    seen = Rollout(f"Rollout of {deployment} in {namespace.name}", "replica_set", read)
    return _record(seen, namespace, "/apis/apps/v1", "replicasets")


@contextmanager
def _record(seen: S, namespace: Namespace, group: str, plural: str, labels: str = "") -> Iterator[S]:
    """The watch in a thread, its view in another; both have ended when the block has, whatever it does.

    Raises what the watch failed with (ApiError), when the block itself went well; the timeline marks it in any case.
    """
    follow = Follow(namespace.cluster.kube.connection, f"{group}/namespaces/{namespace.name}/{plural}", labels)
    seen.begin(follow.items)
    view = Quiet() if headless() else View(seen.caption, seen.now)
    try:
        with ThreadPoolExecutor(2, "live") as threads:
            tasks = [threads.submit(view.run), threads.submit(_watch, follow, seen, view)]
            try:
                yield seen
            finally:
                seen.end()
                follow.stop()
                view.stop()
    finally:
        view.end(seen.timeline())
    for task in tasks:
        task.result()


def _watch(follow: Follow, seen: Seen, view: Quiet) -> None:
    try:
        for change, item in follow.changes():
            if seen.take(change, item):
                view.changed()
    except Exception as e:
        seen.mark("the watch failed: " + " ".join(str(e).split()))
        view.changed()
        raise
