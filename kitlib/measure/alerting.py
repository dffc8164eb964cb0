"""From the first error to somebody who is told of it, stage by stage, against the formula.

With scrapes every I, evaluations every E, `for` F and Alertmanager's group_wait W, a failure that is plain at once is

    noticed     U(0, I) + I + U(0, E) + D   the first sample of a new series counts for nothing, the second does; the rule that records the
                                            ratio waits for its turn, and the alert for its own, which comes D later
    held        F                           it fires at the first evaluation that is at least F later
    delivered   W                           Alertmanager waits for others of the same group

A group outlives its alerts by up to half a minute (Alertmanager's dispatch/dispatch.go). What fires again meanwhile is delivered when the
group's group_interval is over, sooner or later than W; so a round begins when the groups of the last one are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from kitlib import app, traffic
from kitlib.cluster import Space
from kitlib.measure.rates import APPS, RATE
from kitlib.telemetry.metrics import Metrics

ALERT, RECORDS = "HighErrorRate", "app:http_errors:ratio30s"
INTERVAL, EVALUATION, FOR, GROUP_WAIT = 2.0, 2.0, 10.0, 1.0  # seconds: cluster/stacks/metrics says so
GROUPS = "alertmanager_dispatcher_aggregation_groups"
CODES = [code for code in range(500, 600) if code not in (502, 504)]  # those two are another alert's: DownstreamFailed
STAGES = ("noticed", "held", "delivered")
UNITS = {"predicted": "s", "off": "s"}
SECONDS = 40  # of load


def trials(metrics: Metrics, space: Space, stages: Sequence[str]) -> list[dict[str, float]]:
    """For each trial, a stage of STAGES: its seconds, what the formula predicts on average, and how far apart they are (`off`).

    Every instance of `rates.deploy` gets an alert of its own, in rounds, so that each stage has as many trials as are asked for.  In each
    round errors have a code that they did not have before.
    """
    wanted = max(list(stages).count(stage) for stage in set(stages))
    offset = _offset(metrics)
    before = metrics.until(GROUPS)["value"].iloc[0]
    found: list[dict[str, float]] = []
    while len(found) < wanted:
        found += _round(metrics, space, APPS[: wanted - len(found)], CODES[len(found) // len(APPS)])
        if len(found) < wanted:
            _over(metrics, space, before)
    predicted = {"noticed": 1.5 * INTERVAL + EVALUATION / 2 + offset, "held": FOR, "delivered": GROUP_WAIT}
    turns = {stage: iter(found) for stage in STAGES}
    return [_against(next(turns[stage])[stage], predicted[stage]) for stage in stages]


def _against(seconds: float, predicted: float) -> dict[str, float]:
    return {"seconds": seconds, "predicted": predicted, "off": abs(seconds - predicted)}


def _offset(metrics: Metrics) -> float:
    """Seconds from an evaluation of the rule that records to the next one of the alert, which is in another group."""
    evaluated = metrics.rules().set_index("name")["evaluated"]
    return float((evaluated[ALERT] - evaluated[RECORDS]).total_seconds() % EVALUATION)


def _round(metrics: Metrics, space: Space, apps: Sequence[str], status: int) -> list[dict[str, float]]:
    urls = [f"http://{name}.{space.name}/items" for name in apps]
    with traffic.open_loop(space, urls, rate=RATE * len(apps), seconds=SECONDS, name="failing") as load:
        metrics.until(
            f'count(app:http_requests:rate30s{{namespace="{space.name}", app=~"{"|".join(apps)}"}} > 1) == {len(apps)}'
        )
        began = {name: _fail(space, name, status) for name in apps}
        told = {
            name: metrics.delivered(ALERT, {"namespace": space.name, "app": name}, after=began[name]) for name in apps
        }
        load.stop()
    found = [_stages(metrics, space, name, began[name], told[name]["received"].min()) for name in apps]
    for name in apps:
        app.heal(space, app.pods(space, name)[0], "error")
    return found


def _over(metrics: Metrics, space: Space, groups: float) -> None:
    """Wait until every end was delivered, and then until Alertmanager has no more groups than before."""
    for name in APPS:
        mine = {"namespace": space.name, "app": name}
        metrics.delivered(ALERT, mine, status="resolved", after=metrics.delivered(ALERT, mine)["received"].max())
    metrics.until(f"{GROUPS} <= {groups:g}")


def _fail(space: Space, name: str, status: int) -> pd.Timestamp:
    """Every request fails from now on; returns when that began."""
    (pod,) = app.pods(space, name)
    app.inject(space, pod, "error", lease=f"{SECONDS}s", rate=1, status=status)
    return pd.Timestamp.now("UTC")


def _stages(metrics: Metrics, space: Space, name: str, began: pd.Timestamp, told: pd.Timestamp) -> dict[str, float]:
    states = metrics.samples(f'ALERTS{{alertname="{ALERT}", namespace="{space.name}", app="{name}"}}', 2 * SECONDS)
    states = states[states["time"] > began]
    pending, firing = (states[states["alertstate"] == state]["time"].min() for state in ("pending", "firing"))
    spans = pairwise((began, pending, firing, told))
    return {stage: (end - start).total_seconds() for stage, (start, end) in zip(STAGES, spans, strict=True)}
