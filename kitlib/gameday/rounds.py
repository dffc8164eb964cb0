"""Faults are played side by side, a chain each: when is the alert delivered, when its end, when are requests well, what failed meanwhile?

The moments are of one machine: of this process (injected, repaired), of the receiver (delivered, resolved), of vegeta (requests).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from kitlib import app
from kitlib.cluster import Cluster, Space
from kitlib.errors import WaitTimeout
from kitlib.gameday import chains
from kitlib.gameday.faults import Fault, named
from kitlib.stacks.signals import Signals
from kitlib.telemetry import again
from kitlib.telemetry.metrics import Metrics
from kitlib.telemetry.trail import Trail, follow
from kitlib.timeline import Lane, Span, Timeline, draw

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
    space: Space
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
    """Rounds that were played, by the names of their faults; the newest of each."""

    def __init__(self, cluster: Cluster, signals: Signals) -> None:
        self.cluster, self.signals = cluster, signals
        self.board = Board(signals.metrics)
        self.rounds: dict[str, Round] = {}

    def measure(self, trials: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
        """Play {"fault": name} for each trial, side by side; repeats of a fault follow each other.  Values as `Round.values` has them."""
        names = [trial["fault"] for trial in trials]
        different = list(dict.fromkeys(names))
        with ThreadPoolExecutor(len(different)) as pool:
            played = pool.map(lambda name: self._repeat(name, names.count(name)), different)
        found = {name: iter(rounds) for name, rounds in zip(different, played, strict=True)}
        return [next(found[name]).values() for name in names]

    def _repeat(self, name: str, count: int) -> list[Round]:
        rounds = [play(self.cluster, self.signals.metrics, self.board, named(name)) for _ in range(count)]
        self.rounds[name] = rounds[-1]
        return rounds

    def trail(self, name: str) -> Trail:
        """Follow the alert of a fault that was played.  Raises WaitTimeout when there was none."""
        return follow(self.rounds[name].alert, self.signals)

    def table(self) -> pd.DataFrame:
        """A row a fault: what was wrong, its alert, seconds to detection and recovery, failed requests, and what else was delivered."""
        rows = [_row(it) for it in self.rounds.values()]
        return pd.DataFrame(rows).sort_values("detected (s)", ignore_index=True)

    def timeline(self) -> Timeline:
        """From each fault's injection on: unnoticed, being repaired, resolved."""
        lanes = [Lane(it.fault.name, tuple(_spans(it))) for it in self.rounds.values()]
        return draw("from the injection (s)", sorted(lanes, key=lambda lane: lane.spans[0].end or 0))


def play(cluster: Cluster, metrics: Metrics, board: Board, fault: Fault) -> Round:
    """One round in the fault's chain, which is made if it is not there: load, fault, alert, repair, the alert's end."""
    space = Space.find(cluster, chains.space_name(fault.name))
    if space is None:
        space = chains.apply(cluster, [fault.name])[fault.name]
        chains.ready([space])
    load = chains.load(space, LONGEST)
    try:
        metrics.until(f'count(app:http_requests:rate30s{{namespace="{space.name}"}}) == {len(app.CHAIN)}')
        injected = _now()
        fault.inject(space)
        delivered = _received(board, fault, space, "firing", injected)
        repaired = _now()
        fault.repair(space)
        resolved = _received(board, fault, space, "resolved", repaired)
    finally:
        load.stop()
    deliveries = _about(metrics.deliveries(), space, injected)
    return Round(fault, space, injected, delivered, repaired, resolved, load.results(), deliveries)


class Board:
    """What was delivered, asked for once every so often for all rounds together."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._lock = metrics, threading.Lock()
        self._seen, self._asked = pd.DataFrame(), -EVERY

    def deliveries(self) -> pd.DataFrame:
        """As `Metrics.deliveries` has them, at most EVERY seconds old."""
        with self._lock:
            if time.monotonic() - self._asked >= EVERY:
                self._seen, self._asked = self._metrics.deliveries(), time.monotonic()
            return self._seen


def _received(board: Board, fault: Fault, space: Space, status: str, after: pd.Timestamp) -> pd.Timestamp:
    """When the receiver got the fault's alert in that state; NaT when it did not within PATIENCE."""

    def look() -> pd.DataFrame:
        found = _about(board.deliveries(), space, after)
        return found[_mine(found, fault, status)]

    try:
        found = again.until(
            look, lambda rows: len(rows) > 0, failure=lambda _: f"{fault.alert} is not {status}", seconds=PATIENCE
        )
    except WaitTimeout:
        return pd.NaT
    return found["received"].min()


def _about(deliveries: pd.DataFrame, space: Space, after: pd.Timestamp) -> pd.DataFrame:
    """Those about a chain, that came later."""
    fits = (deliveries["namespace"] == space.name) & (deliveries["received"] > after)
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


def _spans(it: Round) -> list[Span]:
    """What did not come has no end."""
    moments = [(t - it.injected).total_seconds() for t in (it.delivered, it.well, it.resolved)]
    delivered, well, resolved = (None if pd.isna(moment) else moment for moment in moments)
    spans = [Span(0, delivered, "", "not yet delivered")]
    if delivered is not None:
        spans.append(Span(delivered, well, "", "being repaired"))
        spans.append(Span(well or delivered, resolved, "", "well, the alert still fires"))
    return spans


def _now() -> pd.Timestamp:
    return pd.Timestamp.now("UTC")
