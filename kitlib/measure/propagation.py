"""One request through three services: is it one trace, and do logs and metrics lead to it?  With something between that forgets it."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd

from kitlib import app, reach, wait
from kitlib.cluster import Space
from kitlib.kube import STRATEGIC
from kitlib.measure import proxy
from kitlib.telemetry import again
from kitlib.telemetry.traces import Traces

SPANS = 5  # served three times, called twice
TREATMENTS = ("traced", "faults", "quick-exit")
DIRECT, PASSES, DROPS = "no proxy", "a proxy", "a proxy that drops the header"
HOPS = (DIRECT, PASSES, DROPS)  # between gateway and catalog
UNITS = {"services": "count", "logged": "%", "exemplar": "0/1"}
OPENMETRICS = "application/openmetrics-text"
EXEMPLAR = re.compile(r'trace_id="(\w{32})"')


def start(space: Space, image: str) -> None:
    """Gateway, catalog and backend, traced, with a line a request in their logs; returns when they answer."""
    for name, place in reversed(app.CHAIN.items()):  # who is asked is there before who asks
        env = {"CATALOG_LOG_LEVEL": "DEBUG"}
        space.apply(*app.manifests(name, image, treatments=[place, *TREATMENTS], env=env))
        app.roll_out(space, name)
        reach.services(space, [name])
    _answering(space)


def trial(traces: Traces, space: Space, traefik: str, hop: str) -> dict[str, float]:
    """One request, with that between gateway and catalog.

    traces: how many it became.  services: in the trace that began at the gateway.  logged: % of the three services whose log has
    that trace's id.  exemplar: the gateway's metrics name it beside a bucket.
    """
    between(space, traefik, hop)
    since = asked(space)
    found = traces.newest("gateway", since, spans=2 if hop == DROPS else SPANS)
    backend = traces.newest("backend", since)
    trace_id = found["trace_id"].iloc[0]
    return {
        "traces": len({trace_id, backend["trace_id"].iloc[0]}),
        "services": found["service"].nunique(),
        "logged": 100 * sum(logged(space, trace_id).values()) / len(app.CHAIN),
        "exemplar": float(trace_id in exemplars(space, pod(space, "gateway"))),
    }


def asked(space: Space) -> pd.Timestamp:
    """Send a request to the gateway; returns the moment before it."""
    since = pd.Timestamp.now("UTC")
    app.ask(space, pod(space, "gateway"), "/items")
    return since


def logged(space: Space, trace_id: str) -> dict[str, bool]:
    """Whether the log of each service's pod, as the kubelet has it, has a line of this trace."""
    return {name: any(line.get("trace_id") == trace_id for line in log(space, name)) for name in app.CHAIN}


def log(space: Space, name: str, lines: int = 200) -> list[dict[str, Any]]:
    """The newest lines of a service's pod, each an object of JSON."""
    text = space.cluster.kube.logs(pod(space, name), space.name, lines=lines)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def exemplars(space: Space, name: str) -> list[str]:
    """Trace ids beside the buckets of a pod's metrics."""
    answer = app.ask(space, name, "/metrics", headers={"Accept": OPENMETRICS})
    return EXEMPLAR.findall(str(answer.body))


def pod(space: Space, name: str) -> str:
    """The one pod of a service."""
    (found,) = app.pods(space, name)
    return str(found["metadata"]["name"])


def between(space: Space, traefik: str, hop: str) -> None:
    """Put a proxy between gateway and catalog, or take it out; returns when the gateway goes that way."""
    if hop != DIRECT:
        space.apply(*proxy.manifests(traefik, drops=["traceparent"] if hop == DROPS else []))
        app.roll_out(space, proxy.NAME)
        reach.services(space, [proxy.NAME])
    to = "http://catalog" if hop == DIRECT else f"http://{proxy.NAME}"
    env = [{"name": "CATALOG_DOWNSTREAM", "value": to}]
    note = {"kit.local/hop": hop}  # another proxy at the same address: no connection to the one before may be kept
    spec = {"containers": [{"name": app.NAME, "env": env}]}
    change = {"spec": {"template": {"metadata": {"annotations": note}, "spec": spec}}}
    kube = space.cluster.kube
    kube.patch("Deployment", "gateway", space.name, change, content=STRATEGIC)
    app.roll_out(space, "gateway")
    for old in kube.list("Pod", space.name, labels="app.kubernetes.io/instance=gateway"):
        if "deletionTimestamp" in old["metadata"]:
            wait.until(kube, "Pod", old["metadata"]["name"], space.name, done=wait.gone, what="gone")
    _answering(space)


def _answering(space: Space) -> None:
    """The whole chain: cluster DNS may be behind, too."""
    again.until(
        lambda: app.ask(space, pod(space, "gateway"), "/items").status,
        lambda status: status == 200,
        failure=lambda status: f"the gateway answers with {status}",
        seconds=30,
    )
