"""What does a rollout cost its clients?  Failed requests and seconds, for several settings side by side, under open-loop load.

A setting is "<pod>, <strategy>": how a pod begins and ends, and in which order the Deployment replaces them; or "mine", which is the
Deployment of a learner's own file.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from kitlib.claims import progress
from kitlib.claims.levels import MINE, takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import UsageError
from kitlib.kube.client import Object, Ref
from kitlib.measure.workloads import pods
from kitlib.views.grid import grid
from kitlib.views.plots.base import Plot
from kitlib.workloads import app, traffic
from kitlib.workloads.ownfile import OwnFile

REPLICAS = 3
SLOW = {"CATALOG_START_DELAY": "3s"}  # of the new version: a program that is busy before it listens
RATE = 50  # requests per second
PATIENCE = 240  # seconds for a rollout, and the longest load: a busy machine is slow, and that is no failure
TIMEOUT = 5.0  # seconds: a slow answer is not a lost one
SIDE_BY_SIDE = 3  # more would compete for the processor with what they measure

# components of cluster/components
PODS: Mapping[str, tuple[str, ...]] = {
    "drain": (),
    "no probe": ("guide-3.2",),
    "guide probes": ("guide-3.2", "guide-probes"),
    "no drain": ("no-drain",),
    "abrupt": ("abrupt",),
    "abrupt + preStop": ("abrupt", "pre-stop"),
}
# maxSurge, maxUnavailable; the default, 25 % and 25 %, is "one more" for three replicas: it rounds up and down
STRATEGIES: Mapping[str, tuple[int | str, int | str]] = {
    "one more": (1, 0),
    "one less": (0, 1),
    "all at once": (0, "100%"),
}
GRID = tuple(f"{pod}, {strategy}" for pod, strategy in itertools.product(PODS, STRATEGIES))
SOME = (*(f"{pod}, one more" for pod in PODS), "drain, all at once")
AS_WRITTEN = "as written"  # the order of replacement in a learner's file
SETTINGS: Mapping[str, tuple[str, ...]] = {"quick": SOME, "full": GRID}  # by profile


@dataclass(frozen=True)
class Setting:
    """One cell of the grid."""

    pod: str
    strategy: str
    replicas = REPLICAS

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Raises UsageError for a setting that is not in the grid."""
        if text not in GRID:
            raise UsageError(f"{text!r} is not a setting", hint=f"one of {'; '.join(GRID)}")
        return cls(*text.split(", "))

    @property
    def slug(self) -> str:
        """For Kubernetes: letters and dashes."""
        return f"{self.pod}-{self.strategy}".lower().replace(" + ", "-").replace(" ", "-")

    def manifests(self, name: str, image: str, env: Mapping[str, str] | None = None) -> list[Object]:
        """Deployment, Service and PodDisruptionBudget."""
        objects = app.manifests(name, image, replicas=REPLICAS, treatments=["small", *PODS[self.pod]], env=env)
        surge, unavailable = STRATEGIES[self.strategy]
        how = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
        for found in objects:
            if found["kind"] == "Deployment":
                found["spec"]["strategy"] = how
        return objects


@takes({"seconds": "s"}, setting=(*GRID, MINE))
def roll(
    namespace: Namespace, image: str, trials: Sequence[Mapping[str, Any]], *, mine: Sequence[Object] = ()
) -> list[dict[str, float]]:
    """For each {setting: ...}: `failed` requests of those sent since the change, and `seconds` until the new template was rolled out.

    mine: the objects of a learner's file, for the setting "mine".  Raises InputError before anything runs when it cannot be measured.
    """
    own = _own(trials, mine)
    settings = [own if own and trial["setting"] == MINE else Setting.parse(trial["setting"]) for trial in trials]
    names = [f"{_slug(setting)}-{i}" for i, setting in enumerate(settings)]

    def roll_one(name: str, setting: Setting | OwnFile, said: str) -> dict[str, float]:
        with progress.trial(said):
            return _roll_one(namespace, name, image, setting)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(roll_one, names, settings, [trial["setting"] for trial in trials]))


def picture(runs: pd.DataFrame) -> Plot:
    """The runs as a grid: one row per pod, one column per strategy; a learner's file has a row and a column of its own."""
    shown = runs.assign(setting=runs["setting"].replace(MINE, f"{MINE}, {AS_WRITTEN}"))
    return grid(shown, "setting", ["failed", "seconds"], rows=[*PODS, MINE], columns=[*STRATEGIES, AS_WRITTEN])


def _own(trials: Sequence[Mapping[str, Any]], mine: Sequence[Object]) -> OwnFile | None:
    """The learner's file; one that no trial is about is not looked at."""
    if all(trial["setting"] != MINE for trial in trials):
        return None
    if not mine:
        raise UsageError("the setting 'mine' needs your objects", hint="mine=files.manifests('deployment.yaml')")
    return OwnFile.of(mine)


def _slug(setting: Setting | OwnFile) -> str:
    return setting.slug if isinstance(setting, Setting) else MINE


def _roll_one(namespace: Namespace, name: str, image: str, setting: Setting | OwnFile) -> dict[str, float]:
    """The old version starts at once; what is rolled out is the same program with a slow start.

    Pods of an earlier run under this name have to be gone: with Recreate, a Deployment waits for them, and does not see their end.
    """
    pods.until(namespace, name, done=lambda found: not found, what="gone", seconds=PATIENCE)
    refs = namespace.apply(*setting.manifests(name, image))
    try:
        app.roll_out(namespace, name, PATIENCE)
        with traffic.open_loop(
            namespace,
            f"http://{name}/items",
            rate=RATE,
            seconds=PATIENCE,
            keepalive=False,
            timeout=TIMEOUT,
            name=f"load-{name}",
        ) as load:
            changed = datetime.now(UTC)
            namespace.apply(*setting.manifests(name, image, SLOW))
            app.roll_out(namespace, name, PATIENCE)
            took = datetime.now(UTC) - changed
            pods.until(
                namespace,
                name,
                done=lambda found: len(found) == setting.replicas,
                what="the new ones alone",
                seconds=PATIENCE,
            )
            load.stop()
        sent = load.results().query("time >= @changed")
        return {"failed": float((~sent["ok"]).sum()), "seconds": took.total_seconds()}
    finally:
        _remove(namespace, refs)


def _remove(namespace: Namespace, refs: Sequence[Ref]) -> None:
    """Ask for these objects to be deleted; their pods end while others are measured."""
    for ref in refs:
        namespace.cluster.kube.delete(ref)
