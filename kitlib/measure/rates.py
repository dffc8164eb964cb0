"""A known load, recorded while Prometheus counts it: what rate() makes of it, and what a histogram's percentiles do.

One recording serves both: instances of goapp of which one is restarted half-way, and others answer late by a known time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from kitlib import app, traffic
from kitlib.cluster import Space
from kitlib.telemetry.metrics import Metrics

RATE = 25  # requests a second for each instance
STEADY, RESTARTED = "steady", "restarted"
LOADS = {"steady": STEADY, "with a restart": RESTARTED}
DELAYS = {"12 ms": "late-12", "45 ms": "late-45", "80 ms": "late-80"}  # delay: instance
APPS = (STEADY, RESTARTED, *DELAYS.values())
QUANTILES = {"p50": 0.5, "p99": 0.99}
EDGE = 2.5  # seconds at both ends of the load in which not every scrape has seen it
RATE_UNITS = {"has_value": "0/1", "off": "%"}
QUANTILE_UNITS = {"off": "%", "in_bucket": "0/1", "estimate": "ms", "actual": "ms"}


@dataclass(frozen=True)
class Recording:
    """A load that is over.  sent: a row a request, with its `app` and when it was answered (`answered`, UTC).  crash: when one ended."""

    metrics: Metrics
    space: Space
    sent: pd.DataFrame
    crash: pd.Timestamp

    @property
    def start(self) -> pd.Timestamp:
        return self.sent["time"].min() + pd.Timedelta(seconds=EDGE)

    @property
    def end(self) -> pd.Timestamp:
        return self.sent["answered"].max() - pd.Timedelta(seconds=EDGE)

    def of(self, name: str) -> pd.DataFrame:
        """The requests that an instance answered."""
        return self.sent[(self.sent["app"] == name) & self.sent["ok"]]


def deploy(metrics: Metrics, space: Space, image: str) -> None:
    """All instances, scraped."""
    treatments = ["scraped", "faults", "quick-exit"]
    for name in APPS:
        space.apply(*app.manifests(name, image, replicas=1, treatments=treatments))
    for name in APPS:
        app.roll_out(space, name)
    metrics.until(f'count(up{{namespace="{space.name}", app=~"{"|".join(APPS)}"}} == 1) == {len(APPS)}')


def record(metrics: Metrics, space: Space, seconds: int) -> Recording:
    """Load every instance at RATE for so many seconds, each delayed or restarted as its name says."""
    for delay, name in DELAYS.items():
        (pod,) = app.pods(space, name)
        app.inject(space, pod, "delay", lease=f"{seconds + 60}s", duration=delay.replace(" ", ""))
    (pod,) = app.pods(space, RESTARTED)
    urls = [f"http://{name}.{space.name}/items" for name in APPS]
    with traffic.open_loop(space, urls, rate=RATE * len(APPS), seconds=seconds, name="recorded") as load:
        after = seconds / 2
        app.inject(space, pod, "crash", lease=f"{seconds}s", after=f"{after:.1f}s")
        crash = pd.Timestamp.now("UTC") + pd.Timedelta(seconds=after)
    sent = load.results()
    answered = sent["time"] + pd.to_timedelta(sent["latency"], unit="s")
    names = sent["url"].map(lambda url: str(urlsplit(url).hostname).partition(".")[0])
    for name in DELAYS.values():
        app.heal(space, app.pods(space, name)[0], "delay")
    return Recording(metrics, space, sent.assign(app=names, answered=answered), crash)


def rates(recording: Recording, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """For each trial, a `load` of LOADS and a `window` such as "8 s", whether rate() has a value, and by how much it is off (%).

    Trials of one kind ask at moments that are spread over those at which the window lies within the load, and of a restart around it.
    """
    kinds = [(trial["load"], trial["window"]) for trial in trials]
    moments = {kind: iter(_moments(recording, *kind, kinds.count(kind))) for kind in set(kinds)}
    return [_rate(recording, *kind, next(moments[kind])) for kind in kinds]


def _moments(recording: Recording, load: str, window: str, count: int) -> list[pd.Timestamp]:
    length = pd.Timedelta(seconds=float(window.removesuffix(" s")))
    first, last = recording.start + length, recording.end
    if load != STEADY:  # the restart lies in the middle half of each window
        first, last = recording.crash + length / 4, recording.crash + 3 * length / 4
    return [first + (last - first) * share for share in (np.arange(count) + 0.5) / count]


def _rate(recording: Recording, load: str, window: str, at: pd.Timestamp) -> dict[str, float]:
    seconds = float(window.removesuffix(" s"))
    name = LOADS[load]
    series = f'http_request_duration_seconds_count{{namespace="{recording.space.name}", app="{name}", route="/items"}}'
    found = recording.metrics.query(f"sum(rate({series}[{seconds:g}s]))", at=at)
    if found.empty:
        return {"has_value": 0}
    answered = recording.of(name)["answered"]
    actual = ((answered > at - pd.Timedelta(seconds=seconds)) & (answered <= at)).sum() / seconds
    off = 100 * abs(float(found["value"].iloc[0]) / actual - 1)
    return {"has_value": 1, "off": round(off, 6)}  # what is beyond comes of the arithmetic


def quantile(recording: Recording, delay: str, which: str) -> dict[str, float]:
    """A percentile as the histogram has it, and as the load generator measured it (ms); by how much it is off (%).

    in_bucket: whether both lie in one bucket.
    """
    name, share = DELAYS[delay], QUANTILES[which]
    actual = float(recording.of(name)["latency"].quantile(share))
    length = int((recording.end - recording.start).total_seconds())
    buckets = (
        f'http_request_duration_seconds_bucket{{namespace="{recording.space.name}", app="{name}", route="/items"}}'
    )
    asked = f"histogram_quantile({share}, sum by (le) (increase({buckets}[{length}s])))"
    estimate = recording.metrics.value(asked, at=recording.end)
    bounds = sorted(recording.metrics.query(buckets, at=recording.end)["le"].astype(float))
    same = np.searchsorted(bounds, actual) == np.searchsorted(bounds, estimate)
    values = {"estimate": 1e3 * estimate, "actual": 1e3 * actual, "in_bucket": float(same)}
    return {"off": 100 * abs(estimate / actual - 1), **values}
