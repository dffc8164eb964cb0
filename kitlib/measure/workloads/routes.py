"""Do rules by host and path lead to the right Service, what do they do to the path, and what does the way through them cost?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import choice
from kitlib.kube.client import Object
from kitlib.kube.connection import Answer
from kitlib.stacks.ingress import IngressController
from kitlib.workloads import traffic
from kitlib.workloads.route_manifests import entrance

NOWHERE = "nowhere.example"
BELOW = ("/one", "/one/two")  # paths below a prefix; goapp knows neither, and says so
UNITS = {"routed": "share", "unknown_host": "HTTP status", "stripped": "share", "p50": "ms", "p99": "ms", "failed": "%"}
COLUMNS = ("asked for", "status", "answered by", "path it saw")


def instance(answer: Answer) -> str:
    """The Deployment whose pod answered, by the pod's name; "" when it was no pod of goapp."""
    pod = answer.headers.get("x-served-by", "").partition(",")[0]
    return pod.rsplit("-", 2)[0]


def arrived(answer: Answer) -> str:
    """The path that reached goapp, which goapp names when it has no such path; "" when it has, or was not reached."""
    named = re.search(r"no route (/\S*?)['\"]", f"{answer.body!r}")
    return named[1] if named else ""


@takes(UNITS)
def follow(edge: IngressController, rule: Object, paths: Mapping[str, str]) -> dict[str, float]:
    """`routed`: share of the prefixes that led to their Service; `unknown_host`: the status for a host without a rule;
    `stripped`: share of the paths below the prefixes that reached goapp without the prefix, and whole.
    """
    host, _ = entrance(rule)
    routed = [instance(edge.ask(host, prefix)) == service for prefix, service in paths.items()]
    stripped = [arrived(edge.ask(host, prefix + below)) == below for prefix in paths for below in BELOW]
    return {
        "routed": sum(routed) / len(routed),
        "unknown_host": edge.ask(NOWHERE, next(iter(paths))).status,
        "stripped": sum(stripped) / len(stripped),
    }


def table(edge: IngressController, rule: Object, paths: Sequence[str]) -> pd.DataFrame:
    """One row per request: status, the instance that answered, and the path that it saw if it had nothing there."""
    host, _ = entrance(rule)
    answers = [(path, edge.ask(host, path)) for path in paths]
    rows = [(path, answer.status, instance(answer), arrived(answer)) for path, answer in answers]
    return pd.DataFrame(rows, columns=list(COLUMNS)).set_index(COLUMNS[0])


@takes(UNITS)
def latency(
    namespace: Namespace,
    ways: Mapping[str, str],
    trials: Sequence[Mapping[str, Any]],
    *,
    rate: int = 150,
    seconds: int = 8,
) -> list[dict[str, float]]:
    """For `kit.experiment(..., batch=True)` over `way`: `p50` and `p99` (ms) of each trial, and what `failed` (%).

    ways: way -> URL.  Each repeat is one open-loop attack of `rate` requests/s, in which the ways take turns request by request, so
    that what disturbs one disturbs all.
    """
    for trial in trials:
        choice(trial["way"], ways, "one of the ways")
    repeats = len(trials) // len(ways)
    found = [
        _percentiles(_attack(namespace, f"latency-{n}", list(ways.values()), rate, seconds)) for n in range(repeats)
    ]
    seen: Counter[str] = Counter()
    values = []
    for trial in trials:
        values.append(found[seen[trial["way"]]][ways[trial["way"]]])
        seen[trial["way"]] += 1
    return values


def _attack(namespace: Namespace, name: str, urls: list[str], rate: int, seconds: int) -> pd.DataFrame:
    """The first second is left out: it opens the connections."""
    with traffic.open_loop(namespace, urls, rate=rate, seconds=seconds, name=name) as load:
        pass
    hits = load.results()
    return hits[hits["at"] >= 1]


def _percentiles(hits: pd.DataFrame) -> dict[str, dict[str, float]]:
    """URL -> its figures.  A request without an answer counts with the time after which it was given up."""
    hits = hits.assign(ms=1000 * hits["latency"])
    return {str(url): _figures(its) for url, its in hits.groupby("url")}


def _figures(hits: pd.DataFrame) -> dict[str, float]:
    ms = hits["ms"]
    return {
        "p50": float(ms.quantile(0.5)),
        "p99": float(ms.quantile(0.99)),
        "failed": 100 * float((~hits["ok"]).mean()),
    }
