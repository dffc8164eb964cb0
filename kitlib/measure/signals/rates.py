"""A known load, recorded while Prometheus counts it: what rate() makes of it, and what a histogram's percentiles do.

One recording serves both: instances of goapp of which one is restarted half-way, and others answer late by a known time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import UsageError
from kitlib.telemetry.metrics import Metrics
from kitlib.workloads import app, traffic

RATE = 25  # requests per second for each instance
STEADY, RESTARTED = "steady", "restarted"
LOADS = {"steady": STEADY, "with a restart": RESTARTED}
DELAYS = {"12 ms": "late-12", "45 ms": "late-45", "80 ms": "late-80"}  # delay: instance
APPS = (STEADY, RESTARTED, *DELAYS.values())
QUANTILES = {"p50": 0.5, "p99": 0.99}
EDGE = 2.5  # seconds at both ends of the load in which not every scrape has seen it
WINDOW = re.compile(r"\d+(\.\d+)? s")
RATE_UNITS = {"has_value": "0/1", "off": "%"}
QUANTILE_UNITS = {"off": "%", "in_bucket": "0/1", "estimate": "ms", "actual": "ms"}


@dataclass(frozen=True)
class Recording:
    """A past load.  sent: one row per request, with its `app` and when it was answered (`answered`, UTC).  crash: when one ended."""

    metrics: Metrics
    namespace: Namespace
    sent: pd.DataFrame
    crash: pd.Timestamp

    @property
    def start(self) -> pd.Timestamp:
        """The start of the window to look at: EDGE seconds after the first request was sent."""
        return self.sent["time"].min() + pd.Timedelta(seconds=EDGE)

    @property
    def end(self) -> pd.Timestamp:
        """The end of the window to look at: EDGE seconds before the last answer came."""
        return self.sent["answered"].max() - pd.Timedelta(seconds=EDGE)

    def of(self, name: str) -> pd.DataFrame:
        """The requests that an instance answered."""
        return self.sent[(self.sent["app"] == name) & self.sent["ok"]]


def deploy(metrics: Metrics, namespace: Namespace, image: str) -> None:
    """All instances, scraped."""
    treatments = ["scraped", "faults", "quick-exit"]
    for name in APPS:
        namespace.apply(*app.manifests(name, image, replicas=1, treatments=treatments))
    for name in APPS:
        app.roll_out(namespace, name)
    metrics.until(f'count(up{{namespace="{namespace.name}", app=~"{"|".join(APPS)}"}} == 1) == {len(APPS)}')


def record(metrics: Metrics, namespace: Namespace, seconds: int) -> Recording:
    """Load every instance at RATE for so many seconds, each delayed or restarted as its name says."""
    for delay, name in DELAYS.items():
        (pod,) = app.pods(namespace, name)
        app.inject(namespace, pod, "delay", lease=f"{seconds + 60}s", duration=delay.replace(" ", ""))
    (pod,) = app.pods(namespace, RESTARTED)
    urls = [f"http://{name}.{namespace.name}/items" for name in APPS]
    with traffic.open_loop(namespace, urls, rate=RATE * len(APPS), seconds=seconds, name="recorded") as load:
        after = seconds / 2
        app.inject(namespace, pod, "crash", lease=f"{seconds}s", after=f"{after:.1f}s")
        crash = pd.Timestamp.now("UTC") + pd.Timedelta(seconds=after)
    sent = load.results()
    answered = sent["time"] + pd.to_timedelta(sent["latency"], unit="s")
    names = sent["url"].map(lambda url: str(urlsplit(url).hostname).partition(".")[0])
    for name in DELAYS.values():
        app.heal(namespace, app.pods(namespace, name)[0], "delay")
    return Recording(metrics, namespace, sent.assign(app=names, answered=answered), crash)


@takes(RATE_UNITS, load=LOADS)
def rates(recording: Recording, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """For each trial, a `load` of LOADS and a `window` such as "8 s", whether rate() has a value, and by how much it is off (%).

    Trials of one kind ask at moments that are spread over those at which the window lies within the load, and of a restart around it.
    """
    kinds = [(trial["load"], trial["window"]) for trial in trials]
    if wrong := [window for _, window in kinds if not WINDOW.fullmatch(window)]:
        raise UsageError(f"{wrong[0]!r} is not a window", hint='like "8 s"')
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
    series = (
        f'http_request_duration_seconds_count{{namespace="{recording.namespace.name}", app="{name}", route="/items"}}'
    )
    found = recording.metrics.query(f"sum(rate({series}[{seconds:g}s]))", at=at)
    if found.empty:
        return {"has_value": 0}
    answered = recording.of(name)["answered"]
    actual = ((answered > at - pd.Timedelta(seconds=seconds)) & (answered <= at)).sum() / seconds
    off = 100 * abs(float(found["value"].iloc[0]) / actual - 1)
    return {"has_value": 1, "off": round(off, 6)}  # more digits are noise of the arithmetic


@takes(QUANTILE_UNITS, delay=DELAYS, quantile=QUANTILES)
def quantiles(recording: Recording, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    """For each trial, a `delay` of DELAYS and a `quantile` of QUANTILES: what `quantile` finds in a stretch of the load.

    The load is divided among the trials of one kind, so that each has requests of its own.
    """
    kinds = [(trial["delay"], trial["quantile"]) for trial in trials]
    stretches = {kind: iter(_stretches(recording, kinds.count(kind))) for kind in set(kinds)}
    return [quantile(recording, *kind, *next(stretches[kind])) for kind in kinds]


def _stretches(recording: Recording, count: int) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    length = (recording.end - recording.start) / count
    return [(recording.start + n * length, recording.start + (n + 1) * length) for n in range(count)]


def quantile(recording: Recording, delay: str, which: str, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, float]:
    """A percentile as the histogram has it, and as the load generator measured it (ms), from start to end; by how much it is off (%).

    in_bucket: whether both lie in one bucket.
    """
    name, share = DELAYS[delay], QUANTILES[which]
    sent = recording.of(name)
    actual = float(sent[(sent["answered"] > start) & (sent["answered"] <= end)]["latency"].quantile(share))
    length = int((end - start).total_seconds())
    buckets = (
        f'http_request_duration_seconds_bucket{{namespace="{recording.namespace.name}", app="{name}", route="/items"}}'
    )
    asked = f"histogram_quantile({share}, sum by (le) (increase({buckets}[{length}s])))"
    estimate = recording.metrics.value(asked, at=end)
    bounds = sorted(recording.metrics.query(buckets, at=end)["le"].astype(float))
    same = np.searchsorted(bounds, actual) == np.searchsorted(bounds, estimate)
    values = {"estimate": 1e3 * estimate, "actual": 1e3 * actual, "in_bucket": float(same)}
    return {"off": 100 * abs(estimate / actual - 1), **values}
