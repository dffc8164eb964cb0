"""From the first error to the delivered alert, stage by stage, against the formula.

With scrapes every I, evaluations every E, `for` F and Alertmanager's group_wait W, a failure that is plain at once is

    noticed     U(0, I) + U(0, E) + D   a scrape sees the first step of a counter that was there at zero; the rule that records the ratio
                                        waits for its turn, and the alert for its own, which comes D later
    held        F                       it fires at the first evaluation that is at least F later
    delivered   W                       Alertmanager waits for others of the same group

A group outlives its alerts by up to half a minute (Alertmanager's dispatch/dispatch.go). What fires again meanwhile is delivered when the
group's group_interval is over, sooner or later than W; so a round begins when the groups of the last one are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.measure.signals.rates import APPS, RATE
from kitlib.telemetry.metrics import Metrics
from kitlib.workloads import app, traffic

ALERT, RECORDS = "HighErrorRate", "app:http_errors:ratio30s"
INTERVAL, EVALUATION, FOR, GROUP_WAIT = 2.0, 2.0, 10.0, 1.0  # seconds, as in cluster/stacks/metrics
GROUPS = "alertmanager_dispatcher_aggregation_groups"
CODE = 500  # one whose series goapp has from its start
STAGES = ("noticed", "held", "delivered")
UNITS = {"predicted": "s", "off": "s"}
SECONDS = 40  # of load


@takes(UNITS, stages=STAGES)
def trials(metrics: Metrics, namespace: Namespace, stages: Sequence[str]) -> list[dict[str, float]]:
    """For each trial, a stage of STAGES: its seconds, what the formula predicts on average, and how far apart they are (`off`).

    Every instance of `rates.deploy` gets an alert of its own, in rounds, so that each stage has as many trials as are asked for.
    """
    wanted = max(list(stages).count(stage) for stage in set(stages))
    offset = _offset(metrics)
    before = metrics.until(GROUPS)["value"].iloc[0]
    found: list[dict[str, float]] = []
    while len(found) < wanted:
        found += _round(metrics, namespace, APPS[: wanted - len(found)])
        if len(found) < wanted:
            _over(metrics, namespace, before)
    predicted = {"noticed": INTERVAL / 2 + EVALUATION / 2 + offset, "held": FOR, "delivered": GROUP_WAIT}
    turns = {stage: iter(found) for stage in STAGES}
    return [_against(next(turns[stage])[stage], predicted[stage]) for stage in stages]


def _against(seconds: float, predicted: float) -> dict[str, float]:
    return {"seconds": seconds, "predicted": predicted, "off": abs(seconds - predicted)}


def _offset(metrics: Metrics) -> float:
    """Seconds from an evaluation of the rule that records to the next one of the alert, which is in another group."""
    evaluated = metrics.rules().set_index("name")["evaluated"]
    return float((evaluated[ALERT] - evaluated[RECORDS]).total_seconds() % EVALUATION)


def _round(metrics: Metrics, namespace: Namespace, apps: Sequence[str]) -> list[dict[str, float]]:
    urls = [f"http://{name}.{namespace.name}/items" for name in apps]
    with traffic.open_loop(namespace, urls, rate=RATE * len(apps), seconds=SECONDS, name="failing") as load:
        metrics.until(
            f'count(app:http_requests:rate30s{{namespace="{namespace.name}", app=~"{"|".join(apps)}"}} > 1) == {len(apps)}'
        )
        began = {name: _fail(namespace, name) for name in apps}
        told = {
            name: metrics.delivered(ALERT, {"namespace": namespace.name, "app": name}, after=began[name])
            for name in apps
        }
        load.stop()
    found = [_stages(metrics, namespace, name, began[name], told[name]["received"].min()) for name in apps]
    for name in apps:
        app.heal(namespace, app.pods(namespace, name)[0], "error")
    return found


def _over(metrics: Metrics, namespace: Namespace, groups: float) -> None:
    """Wait until every end was delivered, and then until Alertmanager has no more groups than before."""
    for name in APPS:
        mine = {"namespace": namespace.name, "app": name}
        metrics.delivered(ALERT, mine, status="resolved", after=metrics.delivered(ALERT, mine)["received"].max())
    metrics.until(f"{GROUPS} <= {groups:g}")


def _fail(namespace: Namespace, name: str) -> pd.Timestamp:
    """Make every request fail from now on; returns when that began."""
    (pod,) = app.pods(namespace, name)
    app.inject(namespace, pod, "error", lease=f"{SECONDS}s", rate=1, status=CODE)
    return pd.Timestamp.now("UTC")


def _stages(
    metrics: Metrics, namespace: Namespace, name: str, began: pd.Timestamp, told: pd.Timestamp
) -> dict[str, float]:
    states = metrics.samples(f'ALERTS{{alertname="{ALERT}", namespace="{namespace.name}", app="{name}"}}', 2 * SECONDS)
    states = states[states["time"] > began]
    pending, firing = (states[states["alertstate"] == state]["time"].min() for state in ("pending", "firing"))
    spans = pairwise((began, pending, firing, told))
    return {stage: (end - start).total_seconds() for stage, (start, end) in zip(STAGES, spans, strict=True)}
