"""A label with as many values as there are users, and four ways in which a Prometheus can deal with it, side by side.

The target is real: vegeta, which counts its requests by URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from kitlib.cluster.bound import Namespace
from kitlib.dashboards import Dashboard, Panel, Query
from kitlib.stacks import prometheus
from kitlib.telemetry.metrics import Metrics
from kitlib.workloads import traffic

RATE, USERS = 125, 500
LIMIT = 1_000
NAME = "exploding"
JOBS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "sample_limit": {"sample_limit": LIMIT},
    "labeldrop": {"metric_relabel_configs": [{"action": "labeldrop", "regex": "url"}]},
    "drop": {"metric_relabel_configs": [{"action": "drop", "source_labels": ["url"], "regex": ".+"}]},
}
BOARD = Dashboard(
    "kit-cardinality",
    "One target, scraped in four ways",
    (
        (
            "Series",
            (
                Panel("Series", "Of each way.", "short", (Query('count by (job) ({job!=""})', "{{job}}"),)),
                Panel(
                    "Series in memory", "Of this Prometheus.", "short", (Query("prometheus_tsdb_head_series", "all"),)
                ),
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Exploded:
    """A separate Prometheus after the load; table: the state of each way of JOBS by then.

    job; health; series: that are kept; counted: requests, by the sum over all series; error of the last scrape.
    """

    metrics: Metrics
    table: pd.DataFrame


def explode(namespace: Namespace, url: str) -> Exploded:
    """Send a service requests as USERS users, while a separate Prometheus scrapes the sender in the ways of JOBS."""
    urls = [f"{url}?user={n}" for n in range(USERS)]
    with traffic.open_loop(namespace, urls, rate=RATE, seconds=USERS // RATE + 10, name=NAME) as load:
        metrics = prometheus.start(namespace, configuration(namespace, NAME))
        scraped = f'count(up) == {len(JOBS) + 1} and on () min(up{{job!="sample_limit"}}) == 1'
        metrics.until(f'{scraped} and on () count(request_seconds_count{{job="as it is"}}) >= {USERS}')
        table = _table(metrics)
        load.stop()
    return Exploded(metrics, table)


def configuration(namespace: Namespace, name: str) -> str:
    """Of a Prometheus that scrapes itself, and a pod of `traffic` once for each way."""
    address = f"{namespace.cluster.kube.get('Pod', name, namespace.name)['status']['podIP']}:{traffic.METRICS}"  # type: ignore[index]
    jobs = [{"job_name": job, "static_configs": [{"targets": [address]}], **more} for job, more in JOBS.items()]
    jobs.append({"job_name": "itself", "static_configs": [{"targets": ["localhost:9090"]}]})
    return yaml.safe_dump(
        {"global": {"scrape_interval": "2s", "scrape_timeout": "2s"}, "scrape_configs": jobs}, sort_keys=False
    )


def _table(metrics: Metrics) -> pd.DataFrame:
    targets = metrics.targets().set_index("job")
    rows = [
        {
            "job": job,
            "health": targets["health"][job],
            "series": metrics.value(f'count({{job="{job}"}})'),
            "counted": metrics.value(f'sum(request_seconds_count{{job="{job}"}}) or vector(0)'),
            "error": targets["error"][job],
        }
        for job in JOBS
    ]
    return pd.DataFrame(rows)
