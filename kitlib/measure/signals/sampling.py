"""Which traces are kept: by a sampler at their beginning, and at what cost; by the collector, when they are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster import reach
from kitlib.cluster.bound import Namespace
from kitlib.kube.client import Object
from kitlib.measure.signals.propagation import pod
from kitlib.stacks import traces as stack
from kitlib.telemetry import exposition, polling
from kitlib.telemetry.traces import Traces
from kitlib.workloads import app, traffic

ALWAYS = "always"
SAMPLERS: Mapping[str, float] = {"never": 0.0, "0.01": 0.01, "0.1": 0.1, ALWAYS: 1.0}  # as goapp calls them
CONFIDENCE = 0.999  # of the binomial interval: two shares per round, and one round in 500 falls out by chance
UNITS = {"kept": "%", "inside": "0/1", "cpu": "µs", "p50": "ms", "least": "%", "most": "%"}
PATIENCE = 10.0  # seconds without a new trace after which those that are missing are taken for lost
QUIET = 2.0  # the same where it is not known how many to expect
DECIDES = 2.0  # seconds: decision_wait of tail-sampling.yaml
WARM = 1.0  # seconds that are left out of latencies: connections are opened
CPU = "process_cpu_seconds_total"
ERRORS = 0.05  # share of the requests that fail
HEAD, TAIL = "a tenth, at the beginning", "errors and a tenth, at the end"
WHEN = (HEAD, TAIL)
TAIL_UNITS = {"errors_kept": "%", "others_kept": "%"}


def name(sampler: str) -> str:
    """Of the instance with this sampler."""
    return f"sampled-{sampler.replace('.', '-')}"


def instance(name: str, image: str, sampler: str, treatments: Sequence[str] = ()) -> list[Object]:
    """A goapp that begins traces itself, and is a service of its own name."""
    env = {"CATALOG_TRACE_SAMPLER": sampler, "CATALOG_NAME": name}
    return app.manifests(name, image, treatments=["traced", *treatments], env=env)


def start(namespace: Namespace, image: str) -> None:
    """Start one instance per sampler; returns when all are rolled out and their Services lead to them."""
    for sampler in SAMPLERS:
        namespace.apply(*instance(name(sampler), image, sampler))
    for sampler in SAMPLERS:
        app.roll_out(namespace, name(sampler))
    reach.services(
        namespace, map(name, SAMPLERS)
    )  # a request that nothing answers leaves no trace, and is none that was sampled


@takes(UNITS, sampler=SAMPLERS)
def trials(
    traces: Traces, namespace: Namespace, trials: Sequence[Mapping[str, Any]], *, rate: int, seconds: int
) -> list[dict[str, float]]:
    """For `kit.experiment(..., batch=True)` over `sampler`: one open-loop attack per repeat, in which the samplers take turns.

    kept: % of the requests whose trace Jaeger has.  inside: whether that is in the binomial interval, from least to
    most.  cpu: of the process, per request (its clock has steps of 10 ms).  p50: latency.
    """
    found = [_attack(traces, namespace, rate, seconds) for _ in range(len(trials) // len(SAMPLERS))]
    seen = dict.fromkeys(SAMPLERS, 0)
    values = []
    for trial in trials:
        values.append(found[seen[trial["sampler"]]][trial["sampler"]])
        seen[trial["sampler"]] += 1
    return values


def _attack(traces: Traces, namespace: Namespace, rate: int, seconds: int) -> dict[str, dict[str, float]]:
    urls = {f"http://{name(sampler)}.{namespace.name}/items": sampler for sampler in SAMPLERS}
    since, before = pd.Timestamp.now("UTC"), {sampler: _cpu(namespace, sampler) for sampler in SAMPLERS}
    with traffic.open_loop(namespace, list(urls), rate=rate, seconds=seconds, name="sampled") as load:
        pass
    spent = {sampler: _cpu(namespace, sampler) - before[sampler] for sampler in SAMPLERS}
    hits = {urls[str(url)]: its for url, its in load.results().groupby("url")}

    def kept(sampler: str) -> int:
        return len(traces.search(name(sampler), since=since, limit=len(hits[sampler]) + 1))

    polling.settled(
        lambda: kept(ALWAYS), enough=len(hits[ALWAYS]), patience=PATIENCE
    )  # then those of the others have also arrived
    return {sampler: _values(sampler, its, kept(sampler), spent[sampler]) for sampler, its in hits.items()}


def _values(sampler: str, hits: pd.DataFrame, kept: int, spent: float) -> dict[str, float]:
    from scipy.stats import binom  # half a second, which the exercises need not pay

    count, share = len(hits), SAMPLERS[sampler]
    least, most = binom.interval(CONFIDENCE, count, share) if 0 < share < 1 else (count * share, count * share)
    latency = hits[hits["at"] >= WARM]["latency"]
    return {
        "kept": 100 * kept / count,
        "least": 100 * float(least) / count,
        "most": 100 * float(most) / count,
        "inside": float(least <= kept <= most),
        "cpu": 1e6 * spent / count,
        "p50": 1000 * float(latency.median()),
    }


def _cpu(namespace: Namespace, sampler: str) -> float:
    """Seconds of CPU that the process has used."""
    return exposition.totals(str(app.ask(namespace, pod(namespace, name(sampler)), "/metrics").body))[CPU]


@takes(TAIL_UNITS, when=WHEN)
def kept(traces: Traces, namespace: Namespace, image: str, when: str, rate: int, seconds: int) -> dict[str, float]:
    """Of the requests that failed, and of the others, the share whose trace was kept (%).

    HEAD: the program's sampler decides when a trace begins, and cannot know how it will end.  TAIL: the program keeps all, and the
    collector decides, by cluster/stacks/traces/collector/tail-sampling.yaml.
    """
    cluster = namespace.cluster
    it = "kept-head" if when == HEAD else "kept-tail"
    namespace.apply(*instance(it, image, "0.1" if when == HEAD else "always", ["faults"]))
    if when == HEAD:
        app.roll_out(namespace, it)
        return _shares(traces, namespace, it, rate, seconds, QUIET)
    stack.overlay(cluster, stack.TAIL_SAMPLING)
    try:
        app.roll_out(namespace, it)
        return _shares(traces, namespace, it, rate, seconds, QUIET + DECIDES)
    finally:
        stack.overlay(cluster, "{}")


def _shares(
    traces: Traces, namespace: Namespace, service: str, rate: int, seconds: int, patience: float
) -> dict[str, float]:
    reach.services(namespace, [service])  # a request that does not reach goapp would be a failed one without a trace
    app.inject(namespace, pod(namespace, service), "error", lease="2m", rate=ERRORS)
    since = pd.Timestamp.now("UTC")
    url = f"http://{service}.{namespace.name}/items"
    with traffic.open_loop(namespace, url, rate=rate, seconds=seconds, name=f"{service}-load") as load:
        pass
    hits = load.results()
    count, wrong = len(hits), int((~hits["ok"]).sum())
    polling.settled(lambda: len(traces.search(service, since=since, limit=count)), enough=count, patience=patience)
    found = traces.search(service, since=since, limit=count)
    errors = int((found["errors"] > 0).sum())
    return {"errors_kept": 100 * errors / wrong, "others_kept": 100 * (len(found) - errors) / (count - wrong)}
