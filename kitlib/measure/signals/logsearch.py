"""How long does a search take, over how many lines?  Documents like those of the logs are generated, loaded and searched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from kitlib.claims.levels import takes
from kitlib.telemetry import logs as telemetry
from kitlib.telemetry.logs import Logs, Query, matching

INDEX = "kit-bench-{count}"  # typed like the logs, and not among them
BATCH = 5_000
WORDS = (
    "timeout",
    "checkout",
    "payment",
    "cart",
    "declined",
    "retry",
    "upstream",
    "latency",
    "ok",
    "served",
    "user",
    "order",
)
LEVELS, SHARES = ("INFO", "WARN", "ERROR"), (0.90, 0.07, 0.03)
SPAN = 36_000  # seconds over which the documents are spread
UNITS = {"p99": "ms", "round_trip": "ms"}
KINDS = ("words in an hour", "one trace", "histogram by level")


def load(logs: Logs, count: int) -> str:
    """An index with so many documents, made unless it is there; returns its name.  Always the same ones: the seed is fixed."""
    index = INDEX.format(count=count)
    if index in {found["index"] for found in logs.ask("GET", "_cat/indices/kit-bench-*?format=json")}:
        return index
    for start in range(0, count, BATCH):
        body = telemetry.lines(documents(start, min(BATCH, count - start)), index)
        answer = logs.ask("POST", telemetry.BULK, body)
        assert not answer["errors"], answer["items"][0]
    logs.ask("POST", f"{index}/_refresh")
    return index


def documents(start: int, count: int) -> Iterator[dict[str, Any]]:
    """Lines of twelve services in forty pods, a hundredth of them of the same few traces."""
    rng = np.random.default_rng(start)
    times = now() - pd.to_timedelta(rng.uniform(0, SPAN, count), unit="s")
    levels, words = rng.choice(LEVELS, count, p=SHARES), rng.choice(WORDS, (count, 12))
    for i in range(count):
        n = start + i
        yield {
            "@timestamp": times[i].isoformat(),
            "message": " ".join(words[i]),
            "stream": "stdout",
            "kubernetes": {"namespace": "bench", "pod": {"name": f"pod-{n % 40}"}, "container": {"name": "app"}},
            "app": {
                "level": levels[i],
                "service": f"service-{n % 12}",
                "trace_id": trace(n),
                "seconds": float(rng.exponential(0.1)),
            },
        }


@takes(UNITS, kind=KINDS)
def trial(logs: Logs, kind: str, count: int, asks: int) -> dict[str, float]:
    """Milliseconds that Elasticsearch takes for a search, as it says itself (`took`, median; p99), and the round trip from here.

    The round trip includes the API server, through which the kit asks.  Each search is another one, and none comes from the cache of
    answers.
    """
    index = load(logs, count)
    rng = np.random.default_rng(count)
    took, trips = [], []
    for _ in range(asks):
        began = time.monotonic()
        answer = logs.ask("POST", f"{index}/_search?request_cache=false", query(kind, rng, count))
        trips.append(1e3 * (time.monotonic() - began))
        took.append(answer["took"])
    warm = slice(asks // 5, None)  # the first ones load what the others find in memory
    return {
        "took": float(np.median(took[warm])),
        "p99": float(np.quantile(took[warm], 0.99)),
        "round_trip": float(np.median(trips[warm])),
    }


def query(kind: str, rng: np.random.Generator, count: int) -> Query:
    """A search's body."""
    since = now() - pd.Timedelta(seconds=float(rng.uniform(3_600, SPAN)))
    if kind == "one trace":
        return {"size": 50, "query": matching(trace_id=trace(int(rng.integers(count))))}
    if kind == "histogram by level":
        over = {
            "date_histogram": {"field": "@timestamp", "fixed_interval": "10m"},
            "aggs": {"l": {"terms": {"field": "app.level"}}},
        }
        return {"size": 0, "query": matching(since=since), "aggs": {"h": over}}
    words = " ".join(rng.choice(WORDS, 2, replace=False))
    wanted = matching(words, level="ERROR", since=since, until=since + pd.Timedelta(hours=1))
    return {"size": 50, "sort": [{"@timestamp": "desc"}], "query": wanted}


def trace(n: int) -> str:
    """The trace of a document: every hundred documents share one."""
    return f"{n // 100:032x}"


def now() -> pd.Timestamp:
    """When the first document is of: fixed, so that the documents are the same in every run."""
    return pd.Timestamp("2026-01-01", tz="UTC")


def remove(logs: Logs) -> None:
    """Take the documents away."""
    for found in logs.ask("GET", "_cat/indices/kit-bench-*?format=json"):
        logs.ask("DELETE", found["index"])
