"""Faults are played side by side, one chain per fault: when is the alert delivered and resolved, when do requests succeed, which fail?

Moments are by one machine's clock: those of this process (injected, repaired), of the receiver (delivered, resolved), of vegeta (requests).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import WaitTimeout
from kitlib.gameday import chains
from kitlib.gameday.faults import NAMES, Fault, named
from kitlib.gameday.trail import Trail, follow
from kitlib.stacks.signals import Signals
from kitlib.telemetry import polling
from kitlib.telemetry.metrics import Metrics
from kitlib.views.chart import Lane, Span
from kitlib.views.timeline import Timeline, draw
from kitlib.workloads import app

LONGEST = 180  # seconds of load; it ends with the round
PATIENCE = 80  # seconds for an alert, and for its end
EVERY = 1.0  # seconds between two looks at the deliveries, which many rounds share
UNITS = {
    "detected": "s",
    "resolved": "s",
    "well": "s",
    "failed": "requests",
    "delivered": "0/1",
    "alerts": "count",
}


@dataclass(frozen=True)
class Round:
    """One fault, from its injection to its end; moments are UTC, NaT for what did not come.

    sent: the load's results.  deliveries: all that was delivered about the chain.
    """

    fault: Fault
    namespace: Namespace
    injected: pd.Timestamp
    delivered: pd.Timestamp
    repaired: pd.Timestamp
    resolved: pd.Timestamp
    sent: pd.DataFrame
    deliveries: pd.DataFrame

    @property
    def failed(self) -> pd.DataFrame:
        """Requests since the injection without a good answer: none, an error, or one that took longer than chains.SLOW."""
        since = self.sent[self.sent["time"] >= self.injected]
        return since[~since["ok"] | (since["latency"] > chains.SLOW)]

    @property
    def well(self) -> pd.Timestamp:
        """When the last request was sent that failed after the repair had begun; its beginning, when none did."""
        late = self.failed[self.failed["time"] >= self.repaired]
        return self.repaired if late.empty else late["time"].max()

    @property
    def alert(self) -> pd.Series:
        """The fault's own alert, as it was delivered first.  Raises WaitTimeout when it was not."""
        found = self.deliveries[_mine(self.deliveries, self.fault, "firing")]
        if found.empty:
            raise WaitTimeout(f"{self.fault.alert} was not delivered for {self.fault.name}")
        return found.iloc[0]

    def values(self) -> dict[str, float]:
        """detected, resolved, well: s, without what did not come; failed: requests; delivered: 0 or 1; alerts: how many kinds came."""
        spans = {
            "detected": self.delivered - self.injected,
            "resolved": self.resolved - self.repaired,
            "well": self.well - self.repaired,
        }
        firing = self.deliveries[self.deliveries["status"] == "firing"]
        return {
            **{name: span.total_seconds() for name, span in spans.items() if not pd.isna(span)},
            "failed": len(self.failed),
            "delivered": float(not pd.isna(self.delivered)),
            "alerts": firing["alert"].nunique(),
        }


class GameDay:
    """Rounds that were played, by the names of their faults: the newest of each, and the trails of its repeats, in their order."""

    def __init__(self, cluster: Cluster, signals: Signals) -> None:
        self.cluster, self.signals = cluster, signals
        self.board = Board(signals.metrics)
        self.rounds: dict[str, Round] = {}
        self.trails: dict[str, list[Trail | None]] = {}

    @takes(UNITS, fault=NAMES)
    def measure(self, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
        """Play {"fault": name} for each trial, side by side; repeats of a fault follow each other.  Values as `Round.values` has them."""
        names = [trial["fault"] for trial in trials]
        different = list(dict.fromkeys(names))
        with ThreadPoolExecutor(len(different)) as pool:
            played = pool.map(lambda name: self._repeat(name, names.count(name)), different)
        found = {name: iter(rounds) for name, rounds in zip(different, played, strict=True)}
        return [next(found[name]).values() for name in names]

    def _repeat(self, name: str, count: int) -> list[Round]:
        rounds: list[Round] = []
        self.trails[name] = []
        for _ in range(count):
            self.rounds[name] = play(self.cluster, self.signals.metrics, self.board, named(name))
            rounds.append(self.rounds[name])
            self.trails[name].append(self._followed(name))  # at once: traces and exemplars are not kept for long
        return rounds

    def _followed(self, name: str) -> Trail | None:
        """None when the alert did not come, or its trail broke off."""
        try:
            return self.trail(name)
        except WaitTimeout:
            return None

    def trail(self, name: str) -> Trail:
        """Follow the alert of a fault that was played.  Raises WaitTimeout when there was none."""
        return follow(self.rounds[name].alert, self.signals)

    def table(self) -> pd.DataFrame:
        """One row per fault: what was wrong, its alert, seconds to detection and recovery, failed requests, and what else was delivered."""
        rows = [_row(it) for it in self.rounds.values()]
        return pd.DataFrame(rows).sort_values("detected (s)", ignore_index=True)

    def timeline(self) -> Timeline:
        """From each fault's injection on: unnoticed, being repaired, resolved."""
        return timeline({it.fault.name: _moments(it) for it in self.rounds.values()})


def play(cluster: Cluster, metrics: Metrics, board: Board, fault: Fault) -> Round:
    """One round in the fault's chain, which is created if it is missing: load, fault, alert, repair, the alert's end."""
    namespace = Namespace.find(cluster, chains.namespace_name(fault.name))
    if namespace is None:
        namespace = chains.apply(cluster, [fault.name])[fault.name]
        chains.ready([namespace])
    load = chains.load(namespace, LONGEST)
    try:
        metrics.until(f'count(app:http_requests:rate30s{{namespace="{namespace.name}"}}) == {len(app.CHAIN)}')
        injected = _now()
        fault.inject(namespace)
        delivered = _received(board, fault, namespace, "firing", injected)
        repaired = _now()
        fault.repair(namespace)
        resolved = _received(board, fault, namespace, "resolved", repaired)
    finally:
        load.stop()
    deliveries = _about(metrics.deliveries(), namespace, injected)
    return Round(fault, namespace, injected, delivered, repaired, resolved, load.results(), deliveries)


class Board:
    """The delivered alerts, read once every few seconds for all rounds together."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._lock = metrics, threading.Lock()
        self._seen, self._asked = pd.DataFrame(), -EVERY

    def deliveries(self) -> pd.DataFrame:
        """As `Metrics.deliveries` has them, at most EVERY seconds old."""
        with self._lock:
            if time.monotonic() - self._asked >= EVERY:
                self._seen, self._asked = self._metrics.deliveries(), time.monotonic()
            return self._seen


def _received(board: Board, fault: Fault, namespace: Namespace, status: str, after: pd.Timestamp) -> pd.Timestamp:
    """When the receiver got the fault's alert in that state; NaT when it did not within PATIENCE."""

    def look() -> pd.DataFrame:
        found = _about(board.deliveries(), namespace, after)
        return found[_mine(found, fault, status)]

    try:
        found = polling.until(
            look, lambda rows: len(rows) > 0, failure=lambda _: f"{fault.alert} is not {status}", seconds=PATIENCE
        )
    except WaitTimeout:
        return pd.NaT
    return found["received"].min()


def _about(deliveries: pd.DataFrame, namespace: Namespace, after: pd.Timestamp) -> pd.DataFrame:
    """The deliveries about a chain that came later."""
    fits = (deliveries["namespace"] == namespace.name) & (deliveries["received"] > after)
    return deliveries[fits].reset_index(drop=True)


def _mine(deliveries: pd.DataFrame, fault: Fault, status: str) -> pd.Series:
    wanted = pd.Series({"alert": fault.alert, "app": fault.app, "status": status})
    return (deliveries[list(wanted.index)] == wanted).all(axis=1)


def _row(it: Round) -> dict[str, object]:
    values = it.values()
    others = set(it.deliveries[it.deliveries["status"] == "firing"]["alert"]) - {it.fault.alert}
    return {
        "fault": it.fault.words,
        "alert": it.fault.alert,
        "detected (s)": values.get("detected"),
        "failed": values["failed"],
        "well again (s)": values.get("well"),
        "resolved (s)": values.get("resolved"),
        "also delivered": ", ".join(sorted(others)),
    }


def timeline(rounds: Mapping[str, Sequence[float | None]]) -> Timeline:
    """From the injection of each fault on: seconds until its alert was delivered, until it was healthy, until the alert ended.

    None for what did not come: that span goes on.
    """
    lanes = [Lane(name, tuple(_spans(*moments))) for name, moments in rounds.items()]
    return draw("from the injection (s)", sorted(lanes, key=lambda lane: lane.spans[0].end or 0))


def _spans(delivered: float | None, healthy: float | None, resolved: float | None) -> list[Span]:
    spans = [Span(0, delivered, "", "not yet delivered")]
    if delivered is not None:
        spans.append(Span(delivered, healthy, "", "being repaired"))
        spans.append(Span(healthy or delivered, resolved, "", "healthy, the alert still fires"))
    return spans


def _moments(it: Round) -> list[float | None]:
    found = ((moment - it.injected).total_seconds() for moment in (it.delivered, it.well, it.resolved))
    return [None if pd.isna(seconds) else seconds for seconds in found]


def _now() -> pd.Timestamp:
    return pd.Timestamp.now("UTC")
