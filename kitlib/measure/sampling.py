"""Which traces are kept: by a sampler at their beginning, and at what cost; by the collector, when they are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from kitlib import app, traffic
from kitlib.cluster import Space
from kitlib.kube import Object
from kitlib.measure.propagation import pod
from kitlib.stacks import traces as stack
from kitlib.telemetry import again, exposition
from kitlib.telemetry.traces import Traces

ALWAYS = "always"
SAMPLERS: Mapping[str, float] = {"never": 0.0, "0.01": 0.01, "0.1": 0.1, ALWAYS: 1.0}  # as goapp calls them
CONFIDENCE = 0.999  # of the binomial interval: two shares a round, and one round in 500 falls out by chance
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


def start(space: Space, image: str) -> None:
    """An instance a sampler; returns when all are rolled out."""
    for sampler in SAMPLERS:
        space.apply(*instance(name(sampler), image, sampler))
    for sampler in SAMPLERS:
        app.roll_out(space, name(sampler))


def trials(
    traces: Traces, space: Space, trials: Sequence[Mapping[str, Any]], *, rate: int, seconds: int
) -> list[dict[str, float]]:
    """For `kit.experiment(..., batch=True)` over `sampler`: one open-loop attack a repeat, in which the samplers take turns.

    kept: % of the requests whose trace Jaeger has.  inside: whether that is in the binomial interval, from least to
    most.  cpu: of the process, a request (its clock has steps of 10 ms).  p50: latency.
    """
    found = [_attack(traces, space, rate, seconds) for _ in range(len(trials) // len(SAMPLERS))]
    seen = dict.fromkeys(SAMPLERS, 0)
    values = []
    for trial in trials:
        values.append(found[seen[trial["sampler"]]][trial["sampler"]])
        seen[trial["sampler"]] += 1
    return values


def _attack(traces: Traces, space: Space, rate: int, seconds: int) -> dict[str, dict[str, float]]:
    urls = {f"http://{name(sampler)}.{space.name}/items": sampler for sampler in SAMPLERS}
    since, before = pd.Timestamp.now("UTC"), {sampler: _cpu(space, sampler) for sampler in SAMPLERS}
    with traffic.open_loop(space, list(urls), rate=rate, seconds=seconds, name="sampled") as load:
        pass
    spent = {sampler: _cpu(space, sampler) - before[sampler] for sampler in SAMPLERS}
    hits = {urls[str(url)]: its for url, its in load.results().groupby("url")}

    def kept(sampler: str) -> int:
        return len(traces.search(name(sampler), since=since, limit=len(hits[sampler]) + 1))

    again.settled(lambda: kept(ALWAYS), enough=len(hits[ALWAYS]), patience=PATIENCE)  # then the others' are there, too
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


def _cpu(space: Space, sampler: str) -> float:
    """Seconds of CPU that the process has used."""
    return exposition.totals(str(app.ask(space, pod(space, name(sampler)), "/metrics").body))[CPU]


def kept(traces: Traces, space: Space, image: str, when: str, rate: int, seconds: int) -> dict[str, float]:
    """Of the requests that failed, and of the others, the share whose trace was kept (%).

    HEAD: the program's sampler decides when a trace begins, and cannot know how it will end.  TAIL: the program keeps all, and the
    collector decides, by cluster/stacks/traces/collector/tail-sampling.yaml.
    """
    cluster = space.cluster
    it = "kept-head" if when == HEAD else "kept-tail"
    space.apply(*instance(it, image, "0.1" if when == HEAD else "always", ["faults"]))
    if when == HEAD:
        app.roll_out(space, it)
        return _shares(traces, space, it, rate, seconds, QUIET)
    stack.overlay(cluster, stack.TAIL_SAMPLING)
    try:
        app.roll_out(space, it)
        return _shares(traces, space, it, rate, seconds, QUIET + DECIDES)
    finally:
        stack.overlay(cluster, "{}")


def _shares(traces: Traces, space: Space, service: str, rate: int, seconds: int, patience: float) -> dict[str, float]:
    app.inject(space, pod(space, service), "error", lease="2m", rate=ERRORS)
    since = pd.Timestamp.now("UTC")
    url = f"http://{service}.{space.name}/items"
    with traffic.open_loop(space, url, rate=rate, seconds=seconds, name=f"{service}-load") as load:
        pass
    hits = load.results()
    count, wrong = len(hits), int((~hits["ok"]).sum())
    again.settled(lambda: len(traces.search(service, since=since, limit=count)), enough=count, patience=patience)
    found = traces.search(service, since=since, limit=count)
    errors = int((found["errors"] > 0).sum())
    return {"errors_kept": 100 * errors / wrong, "others_kept": 100 * (len(found) - errors) / (count - wrong)}
