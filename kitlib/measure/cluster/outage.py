"""What still works while a part of the control plane does not answer; and how long the node needs to restart one that was killed."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster import control_plane, reach
from kitlib.cluster.bound import Namespace
from kitlib.kube import wait
from kitlib.kube.client import Ref
from kitlib.measure.cluster import abilities, flow
from kitlib.measure.cluster.abilities import TREATMENTS, WEB, Scene
from kitlib.workloads import app

NOTHING = "nothing"
WITHOUT = (NOTHING, *control_plane.PARTS)
MENDED_SECONDS = 180
IN_A_ROW = 10  # with two pods of five gone, that is reached by chance once in 160 times


def stage(namespace: Namespace, image: str) -> Scene:
    """Three ready pods behind a Service.  Call it again for a fresh scene: pods that an ability stopped or deleted are replaced."""
    kube = namespace.cluster.kube
    settings: dict[str, Any] = {"treatments": TREATMENTS, "replicas": 3}
    namespace.apply(*app.manifests(WEB, image, **settings), abilities.note())
    app.roll_out(namespace, WEB)
    reach.services(
        namespace, [WEB], times=IN_A_ROW
    )  # kube-proxy learns nothing more once the API server or etcd is silent
    service = kube.get("Service", WEB, namespace.name)
    assert service is not None  # applied above
    slow = abilities.slowness(Scene(namespace, image))
    return Scene(namespace, image, service["spec"]["clusterIP"], tuple(app.pods(namespace, WEB)), slow)


@takes(abilities.UNITS, without=WITHOUT)
def trial(namespace: Namespace, image: str, without: str) -> dict[str, float]:
    """1 for each ability that is there without a part, 0 for each that is not; `serve` is the share of requests answered."""
    scene = stage(namespace, image)
    silence = control_plane.without(namespace.cluster, without) if without != NOTHING else nullcontext()
    try:
        with silence, ThreadPoolExecutor() as pool:
            found = abilities.serve(scene)  # before any pod is stopped or deleted
            for each in pool.map(lambda able: able(scene), abilities.ALL):
                found |= each
        return found
    finally:
        _tidy(scene)


@takes(part=control_plane.PARTS)
def recovery(namespace: Namespace, image: str, part: str) -> dict[str, float]:
    """Seconds from killing a part's process until all parts report that they are healthy, and until a new Deployment is rolled out.

    The second can be much later: a client that watched a killed API server retries at growing intervals (up to a minute), and
    a controller does not act on a cache that it knows to be old.
    """
    before = time.monotonic()
    control_plane.kill(namespace.cluster, part)
    control_plane.heal(namespace.cluster, MENDED_SECONDS)
    well = time.monotonic() - before
    (ref,) = namespace.apply(flow.manifest("Deployment", f"after-{secrets.token_hex(3)}", image))
    app.roll_out(namespace, ref.name, seconds=MENDED_SECONDS)
    works = time.monotonic() - before
    namespace.cluster.kube.delete(ref)
    return {"well, s": well, "works, s": works}


def table(runs: pd.DataFrame) -> Any:
    """Abilities across, missing parts down: ✓ it worked in every trial, ✗ in none, ~ in some."""
    found = runs.groupby(["without", "metric"])["value"].mean().unstack()
    return found.loc[list(WITHOUT), list(abilities.UNITS)].map(lambda share: {1.0: "✓", 0.0: "✗"}.get(share, "~"))


def _tidy(scene: Scene) -> None:
    """Remove pods that were stopped or deleted; the next scene has fresh ones, so that no restart is a second one, which is delayed."""
    kube = scene.cluster.kube
    new = [p for p in kube.list("Pod", scene.namespace.name) if p["metadata"]["name"].startswith("new-")]
    for pod in [scene.stopped, scene.deleted, *new]:
        kube.delete(Ref.of(pod))
    for pod in (scene.stopped, scene.deleted):
        wait.until(kube, "Pod", pod["metadata"]["name"], scene.namespace.name, done=wait.gone, what="gone")
