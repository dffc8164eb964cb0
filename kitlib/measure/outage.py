"""What still works while a part of the control plane does not answer; and how long it takes the node to mend one that was killed."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pandas as pd

from kitlib import app, control_plane, wait
from kitlib.cluster import Space
from kitlib.kube import Ref
from kitlib.measure import abilities, flow
from kitlib.measure.abilities import TREATMENTS, WEB, Scene

NOTHING = "nothing"
WITHOUT = (NOTHING, *control_plane.PARTS)
MENDED_SECONDS = 180


def stage(space: Space, image: str) -> Scene:
    """Three ready pods behind a Service.  Call it again for a fresh scene: pods that something was done to are replaced."""
    kube = space.cluster.kube
    settings: dict[str, Any] = {"treatments": TREATMENTS, "replicas": 3}
    space.apply(*app.manifests(WEB, image, **settings), abilities.note())
    app.roll_out(space, WEB)
    service = kube.get("Service", WEB, space.name)
    assert service is not None  # applied above
    slow = abilities.slowness(Scene(space, image))
    return Scene(space, image, service["spec"]["clusterIP"], tuple(app.pods(space, WEB)), slow)


def trial(space: Space, image: str, without: str) -> dict[str, float]:
    """1 for each ability that is there without a part, 0 for each that is not; `serve` is the share of requests answered."""
    scene = stage(space, image)
    silence = control_plane.without(space.cluster, without) if without != NOTHING else nullcontext()
    try:
        with silence, ThreadPoolExecutor() as pool:
            found = abilities.serve(scene)  # before anything is done to the pods
            for each in pool.map(lambda able: able(scene), abilities.ALL):
                found |= each
        return found
    finally:
        _tidy(scene)


def recovery(space: Space, image: str, part: str) -> dict[str, float]:
    """Seconds from killing a part's process until all parts say that they are well, and until a new Deployment is rolled out.

    The second can be much later: who watched a killed API server asks it for a new watch later and later (up to a minute), and
    a controller does nothing by a cache that it knows to be old.
    """
    before = time.monotonic()
    control_plane.kill(space.cluster, part)
    control_plane.heal(space.cluster, MENDED_SECONDS)
    well = time.monotonic() - before
    (ref,) = space.apply(flow.manifest("Deployment", f"after-{secrets.token_hex(3)}", image))
    app.roll_out(space, ref.name, seconds=MENDED_SECONDS)
    works = time.monotonic() - before
    space.cluster.kube.delete(ref)
    return {"well, s": well, "works, s": works}


def table(runs: pd.DataFrame) -> Any:
    """Abilities across, missing parts down: ✓ it worked in every trial, ✗ in none, ~ in some."""
    found = runs.groupby(["without", "metric"])["value"].mean().unstack()
    return found.loc[list(WITHOUT), list(abilities.UNITS)].map(lambda share: {1.0: "✓", 0.0: "✗"}.get(share, "~"))


def _tidy(scene: Scene) -> None:
    """Pods that something was done to go; the next scene has fresh ones, so that no restart is a second one, which is delayed."""
    kube = scene.cluster.kube
    new = [p for p in kube.list("Pod", scene.space.name) if p["metadata"]["name"].startswith("new-")]
    for pod in [scene.stopped, scene.deleted, *new]:
        kube.delete(Ref.of(pod))
    for pod in (scene.stopped, scene.deleted):
        wait.until(kube, "Pod", pod["metadata"]["name"], scene.space.name, done=wait.gone, what="gone")
